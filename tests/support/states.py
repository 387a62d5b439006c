"""Registries and cluster reports made by hand, for tests of the pure packages."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.diagnostics import Position
from reconciler.plan.build import PlanOptions, build_plan
from reconciler.plan.plan import Plan, Source
from reconciler.registry.cluster import Cluster
from reconciler.registry.registry import ClusterEntry, ModelEntry, Registry
from reconciler.registry.spec import ModelSpec
from reconciler.state.application import Application
from reconciler.state.desired import DesiredState, desired_state
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveDeployment, LiveState, Node, Replica
from reconciler.state.names import application_name, deployment_name
from reconciler.state.provenance import Record
from reconciler.state.runtime_packages import RuntimePackages

OWNER = "team"
CLUSTER = ClusterEntry(
    "gpus",
    "registry/clusters/gpus.yaml",
    Cluster.model_validate(
        {
            "owner": OWNER,
            "default": True,
            "dashboard": {"address": "http://ray:8265"},
            "gateway": {"address": "http://ray:8000"},
        }
    ),
)
PACKAGES = RuntimePackages("gcs://engine_0.zip", "gcs://gateway_0.zip", "gcs://llama_cpp_0.zip", "gcs://saas_0.zip")
SOURCE = Source("c" * 40, "t" * 40, False, "d" * 64)
ADDRESS = "http://ray:8265"


def model(model_id: str = "org/chat", **sections: Any) -> ModelEntry:
    """A model file of these sections (`engine`, `deployment`, `scaling`, `rollout`) and top-level keys; one GPU."""
    engine = {"model_id": model_id, **sections.pop("engine", {})}
    document = {
        "engine_config": engine,
        "deployment_config": sections.pop("deployment", {}),
        "scaling_config": sections.pop("scaling", {}),
        "rollout": sections.pop("rollout", {}),
        **sections,
    }
    file = f"registry/{application_name(model_id)}.yaml"
    return ModelEntry(file, ModelSpec.model_validate(document), {(): Position(file, 3, 1)})


def replicas(low: int, high: int | None = None, **more: Any) -> dict[str, Any]:
    """A `deployment` section with these bounds."""
    return {"autoscaling_config": {"min_replicas": low, "max_replicas": high or low, **more}}


def registry(*models: ModelEntry, cluster: ClusterEntry = CLUSTER) -> Registry:
    """A registry of these models and one cluster."""
    return Registry(tuple(models), (cluster,))


def desired(*models: ModelEntry, packages: RuntimePackages = PACKAGES, cluster: ClusterEntry = CLUSTER) -> DesiredState:
    """What these models come to on the cluster."""
    return desired_state(registry(*models, cluster=cluster), cluster, packages)


def node(index: int = 0, *, used: Mapping[str, float] | None = None, **total: float) -> Node:
    """A node with these resources."""
    return Node(f"node-{index}", total, used or {})


def gpu_nodes(count: int, gpus: float = 8.0, cpus: float = 64.0) -> tuple[Node, ...]:
    """Nodes with GPUs and nothing on them."""
    return tuple(node(index, GPU=gpus, CPU=cpus) for index in range(count))


def live_application(
    config: Mapping[str, Any],
    *,
    count: int = 1,
    homes: Iterable[str] | None = None,
    status: ApplicationStatus = ApplicationStatus.RUNNING,
    message: str = "",
    replica_state: str = "RUNNING",
    deployment_status: str = "HEALTHY",
) -> LiveApplication:
    """A declarative application with `count` replicas in its first deployment, on `homes` or on the first node."""
    name = str(config["name"])
    overrides = config.get("deployments") or [{"name": "App"}]
    places = list(homes) if homes is not None else ["node-0"] * count
    running = tuple(
        Replica(f"{name}#{index}", replica_state, place, f"/logs/{name}-{index}.log")
        for index, place in enumerate(places)
    )
    deployment = LiveDeployment(overrides[0]["name"], deployment_status, message, count, running, {})
    return LiveApplication(
        name, status, message, Application(config), (deployment,), route_prefix=config.get("route_prefix")
    )


def foreign(name: str = "theirs", **config: Any) -> LiveApplication:
    """An application of somebody else."""
    return live_application({"name": name, "import_path": "their.app:app", "route_prefix": f"/{name}", **config})


def live(
    *applications: LiveApplication,
    nodes: Iterable[Node] | None = None,
    version: str = "2.60.0",
    options: Mapping[str, Any] | None = None,
    logging: Any = None,
) -> LiveState:
    """A cluster's report."""
    return LiveState(
        ray_version=version,
        applications=tuple(applications),
        nodes=tuple(nodes) if nodes is not None else gpu_nodes(1),
        options=options if options is not None else {"proxy_location": "EveryNode"},
        global_logging_config=logging,
    )


def in_use(nodes: Iterable[Node], **used: float) -> tuple[Node, ...]:
    """The nodes with the same amounts in use on each."""
    return tuple(Node(one.node_id, one.total, used) for one in nodes)


def deployed(
    state: DesiredState, *extra: LiveApplication, nodes: Iterable[Node] | None = None, **options: Any
) -> LiveState:
    """A cluster on which that desired state runs, every model with its lower replica count on the first node."""
    applications = (
        live_application(entry.application.config, count=entry.min_replicas) for entry in state.applications
    )
    return live(*applications, *extra, nodes=nodes, **options)


def remembering(report: LiveState, *records: Record) -> LiveState:
    """The cluster, with a gateway that remembers these applies."""
    gateway = next(entry.application for entry in report.applications if entry.name == "gateway")
    assert gateway is not None
    [deployment] = gateway.config["deployments"]
    user_config = {**deployment["user_config"], "provenance": {"history": [record.plain for record in records]}}
    config = {**gateway.config, "deployments": [{**deployment, "user_config": user_config}]}
    others = (entry for entry in report.applications if entry.name != "gateway")
    return replace(report, applications=(live_application(config), *others))


def plan(state: DesiredState, report: LiveState, **allowed: Any) -> Plan:
    """The plan that brings the report to the state."""
    return build_plan(state, report, address=ADDRESS, source=SOURCE, options=PlanOptions(**allowed))


def settled(report: LiveState, document: Mapping[str, Any]) -> LiveState:
    """The cluster once it has carried out a PUT of the document."""
    known = {entry.name: entry for entry in report.applications}
    applications = tuple(
        known[config["name"]]
        if config["name"] in known and known[config["name"]].application == Application(config)
        else live_application(config, count=_lower_bound(config))
        for config in document["applications"]
    )
    imperative = tuple(entry for entry in report.applications if not entry.declarative)
    return LiveState(
        report.ray_version, applications + imperative, report.nodes, report.options, report.global_logging_config
    )


def _lower_bound(config: Mapping[str, Any]) -> int:
    return int(config["deployments"][0]["autoscaling_config"]["min_replicas"])


def override_of(config: Mapping[str, Any], model_id: str) -> Mapping[str, Any]:
    """The deployment override of a model in an application's config."""
    return next(entry for entry in config["deployments"] if entry["name"] == deployment_name(model_id))

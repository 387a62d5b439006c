"""What the registry calls for on one cluster: one application per model, and the gateway in front of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from reconciler.registry.choices import PlacementStrategy
from reconciler.registry.recalled import Recalled
from reconciler.registry.registry import ClusterEntry, ModelEntry, Registry
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.compiled import NO_MODELS, Compiled, Memory
from reconciler.state.elastic import NodeType
from reconciler.state.json_value import canonical_bytes, parse_json
from reconciler.state.names import GATEWAY_APPLICATION, application_name
from reconciler.state.runtime_packages import RuntimePackages

if TYPE_CHECKING:
    # What finds all models compiled does not pay for the forms.
    from reconciler.registry.cluster import Prices
    from reconciler.registry.spec import Rollout


@dataclass(frozen=True, slots=True)
class DesiredApplication:
    """One application that should be there, with what planning needs to know beside its config."""

    application: Application
    model: ModelEntry | None
    """None for the gateway."""
    bundles: Bundles
    """The resources of one replica."""
    min_replicas: int
    max_replicas: int
    rollout: "Rollout"
    initial_replicas: int | None = None
    """Replicas at first deployment and after every change; None where the file gives none."""
    drain_s: float = 0.0
    """Seconds that a replica may take to finish its requests when it is stopped; of no meaning for the gateway."""

    @property
    def name(self) -> str:
        """The application's name."""
        return self.application.name


@dataclass(frozen=True, slots=True)
class DesiredState:
    """All applications that one registry wants on one cluster, sorted by name, the gateway first."""

    cluster: str
    owner: str
    applications: tuple[DesiredApplication, ...]
    prices: "Prices | None" = None
    """What the cluster's GPUs cost, where its file says it."""
    max_starts: int = 50
    """Replicas that may start at a time."""
    node_types: tuple[NodeType, ...] = ()
    """What the cluster's autoscaler may add, sorted by name."""

    def application(self, name: str) -> DesiredApplication | None:
        """The desired application of that name."""
        return next((entry for entry in self.applications if entry.name == name), None)


def desired_state(
    registry: Registry, cluster: ClusterEntry, packages: RuntimePackages, memory: Memory | None = None
) -> DesiredState:
    """Compile the models that `cluster` is to serve. The result does not depend on the order of files. What `memory`
    holds of this owner, these packages and this code is not compiled again."""
    entries = sorted(registry.models_of(cluster), key=lambda entry: entry.model_id)
    assembly = _Assembly(cluster.cluster.owner)
    routes: dict[str, bytes] = {}
    models = []
    for entry in entries:
        found = _compiled(memory, entry.model_id, entry.digest, lambda: _model(entry, cluster, packages))  # noqa: B023
        routes[entry.model_id] = bytes(found.route)
        models.append(assembly.model(entry, found))
    models.sort(key=lambda model: model.name)
    found = _compiled(memory, GATEWAY_APPLICATION, cluster.digest, lambda: _gateway(cluster, packages))
    applications = (assembly.gateway(found, routes), *models)
    return DesiredState(
        cluster=cluster.name,
        owner=cluster.cluster.owner,
        applications=applications,
        prices=cluster.cluster.prices,
        max_starts=cluster.cluster.max_parallel_starts,
        node_types=tuple(
            NodeType(name, kind.resources, kind.max_workers, kind.min_workers)
            for name, kind in sorted(cluster.cluster.node_types.items())
        ),
    )


def _compiled(memory: Memory | None, name: str, digest: str, make: Callable[[], Compiled]) -> Compiled:
    if memory is None:
        return make()
    known: Compiled | None = memory.get(name, digest)
    if known is not None:
        return known
    made = make()
    memory.put(name, digest, made)
    return made


def _model(entry: ModelEntry, cluster: ClusterEntry, packages: RuntimePackages) -> Compiled:
    # Not at the top: what is compiled already needs neither the forms nor what makes applications of them.
    from reconciler.state.compile import compiled_model

    return compiled_model(entry.spec, cluster.cluster.owner, packages)


def _gateway(cluster: ClusterEntry, packages: RuntimePackages) -> Compiled:
    from reconciler.state.compile import compiled_gateway

    return compiled_gateway(cluster.cluster, packages.gateway)


class _Assembly:
    """Makes applications of what was compiled. What is the same for many of them is made once."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._bundles: dict[bytes, Bundles] = {}
        self._rollouts: dict[bytes, Mapping[str, Any]] = {}

    def model(self, entry: ModelEntry, found: Compiled) -> DesiredApplication:
        """The application of a model."""
        application = Application.compiled(application_name(entry.model_id), self._owner, bytes(found.text))
        return self._desired(application, entry, found, lambda: entry.spec.rollout)

    def gateway(self, found: Compiled, routes: Mapping[str, bytes]) -> DesiredApplication:
        """The gateway with its routing table."""
        table = b",".join(b"%s:%s" % (canonical_bytes(model_id), routes[model_id]) for model_id in sorted(routes))
        # The text is canonical, and so is that of each route: together they are what all of it would be written as.
        text = bytes(found.text).replace(NO_MODELS, b'"models":{%s}' % table, 1)
        application = Application.compiled(GATEWAY_APPLICATION, self._owner, text)
        return self._desired(application, None, found, default_rollout)

    def _desired(
        self, application: Application, entry: ModelEntry | None, found: Compiled, rollout: Callable[[], Any]
    ) -> DesiredApplication:
        key = bytes(found.bundles)
        bundles = self._bundles.get(key)
        if bundles is None:
            strategy, amounts = parse_json(key)
            bundles = self._bundles[key] = Bundles(tuple(amounts), PlacementStrategy(strategy))
        key = bytes(found.rollout)
        known = self._rollouts.get(key)
        if known is None:
            known = self._rollouts[key] = parse_json(key)
        wish = cast("Rollout", Recalled(known, rollout))
        counts = (found.min_replicas, found.max_replicas)
        return DesiredApplication(application, entry, bundles, *counts, wish, found.initial_replicas, found.drain_s)


def default_rollout() -> "Rollout":
    """What holds where no file says anything."""
    from reconciler.registry.spec import Rollout

    return Rollout()

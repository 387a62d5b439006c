"""What the Serve controller has stored, looked at (`diagnose`) and mended (`mend`). Runs as a Ray job on the head node.

A controller keeps the submitted configs of all applications under one key of Ray's control store, and writes it before
it looks at what is in it (`ServeController.apply_config`, 2.60). A config that Ray cannot even begin to build is so
stored although its PUT was answered 400; from then on every PUT that repeats it fails, and a controller that starts
anew fails on it before it comes up. Replicas, and what they should be, are stored elsewhere and live on.

Writes one line of JSON to its output, after `MARK`. No value of an environment variable is ever in it.
"""

import json
import pickle
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray import cloudpickle
from ray._raylet import RAY_INTERNAL_DASHBOARD_NAMESPACE, GcsClient  # type: ignore[attr-defined]
from ray.serve._private.application_state import _get_shared_build_app_label_selector, build_serve_application
from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE
from ray.serve._private.deploy_utils import get_app_code_version
from ray.serve.schema import HTTPOptionsSchema, ServeApplicationSchema, gRPCOptionsSchema

MARK = "RECONCILER-REPAIR "
CONFIGS = "serve-app-config-checkpoint"
TARGETS = "serve-application-state-checkpoint"
DEPLOYMENTS = "serve-deployment-state-checkpoint"
SHUTDOWN = "serve-shutdown-in-progress"
BACKUP = "serve-app-config-checkpoint-before-repair"
REPLICA_PREFIX = "SERVE_REPLICA::"
PROXY_PREFIX = "SERVE_PROXY_ACTOR-"
TIMEOUT_S = 30.0

Config = dict[str, Any]


@dataclass
class Store:
    """The keys of one controller. Their prefix names the namespace of whoever started it."""

    gcs: Any
    prefix: str

    def get(self, key: str) -> bytes | None:
        """A value, None when there is none."""
        found = self.gcs.internal_kv_get(f"{self.prefix}-{key}".encode(), namespace=b"serve", timeout=TIMEOUT_S)
        return found if found is None else bytes(found)

    def put(self, key: str, value: bytes) -> None:
        """Write a value."""
        self.gcs.internal_kv_put(f"{self.prefix}-{key}".encode(), value, True, namespace=b"serve", timeout=TIMEOUT_S)

    def configs(self) -> tuple[float, Any, Any, dict[str, Config]]:
        """Time of the last deployment, target capacity and its direction, and the configs by name."""
        raw = self.get(CONFIGS)
        return pickle.loads(raw) if raw else (0.0, None, None, {})

    def targets(self) -> dict[str, Any]:
        """What each application is to be (`ApplicationTargetState`), by name."""
        raw = self.get(TARGETS)
        return cloudpickle.loads(raw) if raw else {}

    def deployments(self) -> dict[Any, Any]:
        """What each deployment is to be (`DeploymentTargetState`), by its id."""
        raw = self.get(DEPLOYMENTS)
        return cloudpickle.loads(raw) if raw else {}


def fault(config: Config) -> str | None:
    """What Ray says when it begins to build the application, or None. Builds nothing."""
    wrong = sorted(name for name, value in variables(config).items() if not isinstance(value, str))
    if wrong:
        named = ", ".join(f"`{name}`" for name in wrong)
        return f"`runtime_env.env_vars`: {named} {'is' if len(wrong) == 1 else 'are'} not text"
    try:
        schema = ServeApplicationSchema.model_validate(config)
        for deployment in schema.deployments:
            if isinstance(deployment.autoscaling_config, dict):
                deployment.autoscaling_config.get("policy", {}).get("policy_function")
        build_serve_application.options(
            runtime_env=schema.runtime_env, label_selector=_get_shared_build_app_label_selector(schema)
        )
        get_app_code_version(schema)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        for value in variables(config).values():
            said = said.replace(str(value), "(hidden)") if len(str(value)) > 3 else said
        return said[:300]
    return None


def variables(config: Config) -> dict[str, Any]:
    """The environment variables of a config."""
    found = (config.get("runtime_env") or {}).get("env_vars")
    return found if isinstance(found, dict) else {}


def mended(config: Config, target: Any, versions: Mapping[str, Mapping[str, Any] | None]) -> tuple[Config, str] | None:
    """A config that Ray can build in place of one that it cannot, and how it was found; None when there is none.

    `versions` are those of the application's deployments that serve: code version to runtime environment. The config
    from before is the best, for its replicas go on; it is proven to be that by its code version.
    """
    for candidate, how in candidates(config, target, versions):
        if fault(candidate) is None:
            return candidate, how
    return None


def candidates(
    config: Config, target: Any, versions: Mapping[str, Mapping[str, Any] | None]
) -> Iterator[tuple[Config, str]]:
    """Configs that may take its place, the mildest first."""
    if target is not None and target.config is not None:
        before = target.config.model_dump(exclude_unset=True)
        if code_version(before) in versions:
            yield before, "as-it-serves"
    for version, environment in versions.items():
        served = {**config, "runtime_env": dict(environment or {})}
        if code_version(served) == version:
            yield served, "as-it-serves"
    texts = {name: text(value) for name, value in variables(config).items() if value is not None}
    yield {**config, "runtime_env": {**(config.get("runtime_env") or {}), "env_vars": texts}}, "values-as-text"


def text(value: Any) -> str:
    """A value as YAML and JSON write it."""
    return value if isinstance(value, str) else json.dumps(value)


def code_version(config: Config) -> str | None:
    """The code version of a config; None when it cannot be told."""
    try:
        return get_app_code_version(ServeApplicationSchema.model_validate(config))
    except Exception:
        return None


def actor_names(prefix: str) -> list[str]:
    """The names of Serve's living actors of one kind."""
    found = ray.util.list_named_actors(all_namespaces=True)
    names = (actor["name"] for actor in found if actor["namespace"] == SERVE_NAMESPACE)
    return sorted(name for name in names if name.startswith(prefix))


def replica_actors() -> list[dict[str, Any]]:
    """The actors of living replicas."""
    found = ray._private.state.actors().values()
    return [actor for actor in found if actor["State"] == "ALIVE" and actor["Name"].startswith(REPLICA_PREFIX)]


def controller_lives() -> bool:
    """Whether the controller answers."""
    try:
        controller = ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE)
        ray.get(controller.check_alive.remote(), timeout=TIMEOUT_S)
    except Exception:
        return False
    return True


def find_store(gcs: Any, replicas: list[str]) -> Store:
    """The keys of the controller whose deployments the living replicas belong to."""
    keys = [key.decode() for key in gcs.internal_kv_keys(b"ray-serve-", namespace=b"serve", timeout=TIMEOUT_S)]
    prefixes = {key.removesuffix(f"-{end}") for key in keys for end in (CONFIGS, DEPLOYMENTS) if key.endswith(end)}
    stores = [Store(gcs, prefix) for prefix in sorted(prefixes)]
    if not stores:
        return Store(gcs, dashboard_prefix())
    return max(stores, key=lambda store: (known_replicas(store, replicas), store.prefix == dashboard_prefix()))


def known_replicas(store: Store, replicas: list[str]) -> int:
    """How many of the replicas belong to deployments of the store."""
    names = {f"{REPLICA_PREFIX}{one.app_name}#{one.name}" for one in store.deployments()}
    return sum(replica.rpartition("#")[0] in names for replica in replicas)


def dashboard_prefix() -> str:
    """The prefix of a controller that the dashboard starts."""
    return f"ray-serve-{RAY_INTERNAL_DASHBOARD_NAMESPACE}"


def serving_versions(store: Store, name: str) -> dict[str, Mapping[str, Any] | None]:
    """Code version to runtime environment of the application's deployments."""
    found: dict[str, Mapping[str, Any] | None] = {}
    for one, target in store.deployments().items():
        if one.app_name == name and target.info is not None and not target.deleting:
            found[target.info.version] = target.info.replica_config.ray_actor_options.get("runtime_env")
    return found


def diagnose(store: Store, replicas: list[str]) -> dict[str, Any]:
    """What is wrong and what would be done about it."""
    configs = store.configs()[3]
    targets = store.targets()
    applications = []
    for name, config in sorted(configs.items()):
        problem = fault(config)
        way = mended(config, targets.get(name), serving_versions(store, name)) if problem else None
        applications.append(
            {
                "name": name,
                "fault": problem,
                "remedy": way[1] if way else None,
                "replicas": [replica for replica in replicas if replica.startswith(f"{REPLICA_PREFIX}{name}#")],
            }
        )
    lives = controller_lives()
    return {
        "controller_lives": lives,
        "shutting_down": store.get(SHUTDOWN) is not None,
        "elsewhere": not lives and store.prefix != dashboard_prefix(),
        "applications": applications,
        "imperative": sorted(name for name in targets if name not in configs),
        "stored": store.get(CONFIGS) is not None,
    }


def mend(store: Store, drop: frozenset[str]) -> dict[str, Any]:
    """Mend the stored configs, and have the dashboard send them, which starts a controller where none lives."""
    time_s, capacity, direction, configs = store.configs()
    targets = store.targets()
    kept: dict[str, Config] = {}
    for name, config in configs.items():
        if fault(config) is None:
            kept[name] = config
        elif name not in drop:
            way = mended(config, targets.get(name), serving_versions(store, name))
            if way is None:
                return {"error": f"there is no way to mend the stored config of `{name}`"}
            kept[name] = way[0]
    body: dict[str, Any] = {"applications": list(kept.values())}
    if capacity is not None:
        body["target_capacity"] = capacity
    if not controller_lives():
        stored = store.get(CONFIGS)
        if stored is not None and kept != configs:
            store.put(BACKUP, stored)
            store.put(CONFIGS, pickle.dumps((time_s, capacity, direction, kept)))
        move(store)
        body.update(serve_options())
    return send(body)


def move(store: Store) -> None:
    """Copy the keys to where a controller looks for them that the dashboard starts."""
    if store.prefix == dashboard_prefix():
        return
    there = Store(store.gcs, dashboard_prefix())
    for raw in store.gcs.internal_kv_keys(f"{store.prefix}-".encode(), namespace=b"serve", timeout=TIMEOUT_S):
        key = raw.decode().removeprefix(f"{store.prefix}-")
        value = store.get(key)
        if value is not None:
            there.put(key, value)


def serve_options() -> dict[str, Any]:
    """What the controller before was started with, as its proxies remember it: they live on, and know."""
    proxies = actor_names(PROXY_PREFIX)
    if not proxies:
        return {}
    ours = f"{PROXY_PREFIX}{ray.get_runtime_context().get_node_id()}"
    # That of the head node, where a job runs, has the ports as they were given; others may have ports of their own.
    proxy = ray.get_actor(ours if ours in proxies else proxies[0], namespace=SERVE_NAMESPACE)
    bare = {actor["Address"]["NodeID"] for actor in replica_actors()} - {name[len(PROXY_PREFIX) :] for name in proxies}
    http, grpc = ray.get(
        proxy.__ray_call__.remote(lambda self: (self._http_options, self._grpc_options)), timeout=TIMEOUT_S
    )
    return {
        # Without replicas on other nodes the two cannot be told apart.
        "proxy_location": "HeadOnly" if bare else "EveryNode",
        "http_options": {name: getattr(http, name) for name in HTTPOptionsSchema.model_fields if hasattr(http, name)},
        "grpc_options": {name: getattr(grpc, name) for name in gRPCOptionsSchema.model_fields if hasattr(grpc, name)},
    }


def send(body: dict[str, Any]) -> dict[str, Any]:
    """PUT a document to the dashboard from where it is at home."""
    from ray._private.authentication.http_token_authentication import get_auth_headers_if_auth_enabled
    from ray._private.worker import get_dashboard_url

    headers = {"Content-Type": "application/json", **get_auth_headers_if_auth_enabled({})}
    url = f"http://{get_dashboard_url()}/api/serve/applications/"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PUT")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(request, timeout=180).close()
    except urllib.error.HTTPError as error:
        lines = [line for line in error.read().decode(errors="replace").splitlines() if line.strip()]
        return {"error": f"the dashboard answered {error.code}: {type_of(lines)}"}
    return {"sent": sorted(config["name"] for config in body["applications"])}


def type_of(lines: list[str]) -> str:
    """The kind of error in a traceback's last line, without what it quotes."""
    return lines[-1].partition(":")[0].strip()[:200] if lines else "no explanation"


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    ray.init(address="auto", namespace=SERVE_NAMESPACE, log_to_driver=False)
    replicas = actor_names(REPLICA_PREFIX)
    store = find_store(GcsClient(address=ray.get_runtime_context().gcs_address), replicas)
    command, *drop = arguments
    found = mend(store, frozenset(drop)) if command == "mend" else diagnose(store, replicas)
    sys.stdout.write(f"{MARK}{json.dumps(found)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The product's gateway on real Ray, in front of engines that do as each request tells them (`scripted_engine`)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from reconciler.registry.cluster import Cluster
from reconciler.serve.packages import Package, runtime_package, zip_package
from reconciler.state.compile import compiled_gateway
from reconciler.state.json_value import parse_json
from reconciler.state.names import application_name, deployment_name
from tests.support.world import World


def engine_package() -> Package:
    """The code of the scripted engine."""
    return zip_package("scripted-engine", Path(__file__).parent / "scripted_engine")


def engine(model_id: str, *, startup_s: float = 0, **options: Any) -> dict[str, Any]:
    """The application of a model that has a scripted engine; `options` are those of its deployment."""
    scaling = {"min_replicas": 1, "max_replicas": 1, "target_ongoing_requests": 4}
    scaling |= options.pop("autoscaling_config", {})
    return {
        "name": application_name(model_id),
        "route_prefix": None,
        "import_path": "scripted_engine:build",
        "runtime_env": {"py_modules": [engine_package().uri]},
        "args": {"owner": "tests", "deployment": deployment_name(model_id), "startup_s": startup_s},
        "deployments": [
            {
                "name": deployment_name(model_id),
                "graceful_shutdown_timeout_s": 1,
                "autoscaling_config": scaling,
                **options,
            }
        ],
    }


def gateway(models: Mapping[str, Mapping[str, Any]], *, replicas: int = 1, **settings: Any) -> dict[str, Any]:
    """The gateway's application as the registry compiles it. `models` adds to the routes, `settings` to the rest of the
    `user_config`."""
    cluster = Cluster.model_validate(
        {"owner": "tests", "local": True, "gateway": {"num_cpus": 0, "replicas": replicas}}
    )
    config: dict[str, Any] = parse_json(compiled_gateway(cluster, runtime_package("gateway").uri).text)
    routes = {
        model_id: {"application": application_name(model_id), "deployment": deployment_name(model_id), **route}
        for model_id, route in models.items()
    }
    config["deployments"][0]["user_config"] = {"models": routes, **settings}
    return config


@dataclass
class Stage:
    """A cluster with the gateway and some engines, and a client of it."""

    world: World
    http: httpx.Client
    folder: Path
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def play(self, *configs: dict[str, Any]) -> None:
        """Deploy these applications in place of those of the same name, and wait until all run."""
        self.configs |= {config["name"]: config for config in configs}
        state = self.world.apply(self.configs.values())
        wrong = {one.name: (one.status, one.message) for one in state.applications if one.status != "RUNNING"}
        assert not wrong, wrong

    def put(self, *configs: dict[str, Any]) -> None:
        """The same without waiting."""
        self.configs |= {config["name"]: config for config in configs}
        self.world.put(self.configs.values())

    def ask(self, *script: Mapping[str, Any], model: str = "a", **request: Any) -> httpx.Response:
        """A chat request with the script of its answer."""
        headers = request.pop("headers", {})
        body = {"model": model, "script": script, "log": str(self.log), **request}
        return self.http.post("/v1/chat/completions", json=body, headers=headers)

    @property
    def log(self) -> Path:
        """Where engines write down what became of requests."""
        return self.folder / "log"

    def logged(self) -> list[str]:
        """What became of requests: `began`, `ended`, `cancelled`, `failed`, in order."""
        return [line.split()[0] for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def began(self) -> list[str]:
        """Which replicas began to answer, in order."""
        return [line.split()[1] for line in self.log.read_text().splitlines() if line.startswith("began")]

    def replica_ids(self, model_id: str) -> tuple[str, ...]:
        """The running replicas of a model."""
        live = self.world.state().application(application_name(model_id))
        return live.replica_ids if live else ()


def wait_until(condition: Callable[[], Any], limit_s: float = 60.0) -> None:
    """Ask again until it is so."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.1)

"""The tiny models behind the real gateway, deployed by the documents that a registry compiles to."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.registry.loader import load
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.packages import resolve_packages
from reconciler.serve.rest import RestClient
from reconciler.state.desired import DesiredState, desired_state
from tests.support.world import World

START_LIMIT_S = 600.0
CLUSTER = "owner: tests\ndefault: true\nlocal: true\ngateway: {num_cpus: 0.2}\n"
CHAT = """\
clusters: [local]
deployment_config:
  ray_actor_options: {num_cpus: 0.5}
  graceful_shutdown_timeout_s: 5
engine_config:
  model_id: local/tiny-chat
  hf_model_id: ${env:RECONCILER_LOCAL_MODELS}/tiny-chat
  model_description: Says nothing
  aliases: [tiny]
  max_total_tokens: 1024
  engine_kwargs:
    dtype: float32
    enforce_eager: true
    kv_cache_memory_bytes: 67108864
    enable_auto_tool_choice: true
    tool_call_parser: hermes
  runtime_env:
    env_vars: {HF_HUB_OFFLINE: "1", TORCHDYNAMO_DISABLE: "1", VLLM_ENABLE_V1_MULTIPROCESSING: "0"}
  generation:
    generate_kwargs: {temperature: 0, max_tokens: 12}
scaling_config: {num_workers: 1, num_gpus_per_worker: 0, num_cpus_per_worker: 0.25}
"""
_ABSENT = CHAT.replace("local/tiny-chat\n", "local/absent\n").replace("aliases: [tiny]", "aliases: []")
VECTORS = (
    CHAT.replace("engine_config:\n", "engine_config:\n  type: EmbeddingEngine\n")
    .replace("local/tiny-chat\n", "local/tiny-vectors\n")
    .replace("aliases: [tiny]", "aliases: []")
    .replace("    enable_auto_tool_choice: true\n    tool_call_parser: hermes\n", "")
    .replace("  generation:\n    generate_kwargs: {temperature: 0, max_tokens: 12}\n", "")
)
FILES = {
    "local--tiny-chat.yaml": CHAT,
    "local--tiny-vectors.yaml": VECTORS,
    "local--absent.yaml": _ABSENT,
}
"""A chat model, an embedding model, and one that is in the routing table and never deployed."""


@dataclass
class Deployed:
    """What runs, and the registry that it comes from."""

    registry: Path
    desired: DesiredState
    world: World
    address: str
    """Of the gateway."""

    def configs(self, **route: Any) -> list[dict[str, Any]]:
        """The document's applications, without the absent model; keyword arguments change the chat model's route."""
        applications = [dict(entry.application.config) for entry in self.desired.applications]
        copies: list[dict[str, Any]] = json.loads(json.dumps(applications))
        deployed = [config for config in copies if config["name"] != "local--absent"]
        gateway = next(config for config in deployed if config["name"] == "gateway")
        if route:
            gateway["deployments"][0]["user_config"]["models"]["local/tiny-chat"] |= route
        return deployed

    def replicas(self, application: str) -> list[Any]:
        """The replicas of an application."""
        [found] = [entry for entry in self.world.state().applications if entry.name == application]
        return [replica for part in found.deployments for replica in part.replicas]


@contextmanager
def deployed(
    cluster: LocalCluster, client: RestClient, registry: Path, files: Mapping[str, str] = FILES
) -> Iterator[Deployed]:
    """The models in these files and the gateway, running; nothing runs afterwards."""
    (registry / "clusters").mkdir(parents=True)
    (registry / "clusters" / "local.yaml").write_text(CLUSTER)
    for name, content in files.items():
        (registry / name).write_text(content)
    found = load(registry)
    assert found.registry is not None, found.diagnostics
    entry = found.registry.clusters[0]
    packages, uploads = resolve_packages(entry.cluster)
    for package in uploads:
        client.upload_package(package.name, package.content)
    world = World(client, client)
    result = Deployed(registry, desired_state(found.registry, entry, packages), world, cluster.gateway_address)
    world.put(result.configs())
    try:
        state = world.settle(START_LIMIT_S)
        assert {application.status for application in state.applications} == {"RUNNING"}, state.applications
        yield result
    finally:
        world.apply([])

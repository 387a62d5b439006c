"""One model of each type of engine, behind the gateway."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from tests.support.engines import Fleet, fleet
from tests.support.tiny_gguf import build

COMMON = """
deployment_config:
  max_ongoing_requests: 8
  graceful_shutdown_timeout_s: 5
  ray_actor_options: {num_cpus: 0.25}
"""
CPU = "scaling_config: {num_gpus_per_worker: 0, num_cpus_per_worker: 0.25}\n"
GENERATION = "  generation: {generate_kwargs: {max_tokens: 6, temperature: 0}}\n"
VLLM = """
engine_config:
  model_id: local/vllm
  hf_model_id: ${env:RECONCILER_LOCAL_MODELS}/tiny-chat
  max_total_tokens: 1024
  engine_kwargs: {dtype: float32, enforce_eager: true, kv_cache_memory_bytes: 67108864}
  runtime_env:
    env_vars: {HF_HUB_OFFLINE: "1", TORCHDYNAMO_DISABLE: "1", VLLM_ENABLE_V1_MULTIPROCESSING: "0"}
"""
LLAMA_CPP = """
engine_config:
  type: LlamaCppEngine
  model_id: local/llama-cpp
  hf_model_id: {file}
  max_total_tokens: 1024
  engine_kwargs: {{n_parallel: 4, n_batch: 64}}
"""
SAAS = """
engine_config:
  type: SaaSEngine
  model_id: local/saas
  saas:
    base_url: {gateway}/v1
    model: local/llama-cpp
    timeout_s: 60
"""


@dataclass(frozen=True)
class Engine:
    """The model under test, and where it is served."""

    fleet: Fleet
    model_id: str


def engine_file(kind: str, gguf: Path, gateway: str) -> str:
    """The model file of one type of engine."""
    if kind == "llama_cpp":
        return COMMON + LLAMA_CPP.format(file=gguf) + GENERATION + CPU
    if kind == "saas":
        return COMMON.replace("  ray_actor_options: {num_cpus: 0.25}\n", "") + SAAS.format(gateway=gateway) + GENERATION
    text = COMMON + VLLM + GENERATION + CPU
    if kind == "transformers":
        text = text.replace("local/vllm", "local/transformers").replace(
            "engine_config:", "engine_config:\n  type: TransformersEngine"
        )
    return text


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model for llama.cpp."""
    return build(tmp_path_factory.mktemp("gguf") / "tiny.gguf", seed=1)


TOGETHER = (("llama_cpp", "saas"), ("vllm", "transformers"))
"""Models that are served at the same time."""


class Fleets:
    """What is served now: one of the groups, or nothing."""

    def __init__(self, open_group: Callable[[tuple[str, ...]], AbstractContextManager[Fleet]]) -> None:
        self._open = open_group
        self._stack = ExitStack()
        self._now: tuple[tuple[str, ...], Fleet] | None = None

    def serving(self, kind: str) -> Fleet:
        """The group with this type of engine; another one goes before it."""
        group = next(group for group in TOGETHER if kind in group)
        if self._now is None or self._now[0] != group:
            self.close()
            self._now = group, self._stack.enter_context(self._open(group))
        return self._now[1]

    def close(self) -> None:
        """Serve nothing."""
        self._stack.close()
        self._now = None


@pytest.fixture(scope="module")
def fleets(
    ray_cluster: LocalCluster, client: RestClient, gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleets]:
    """The groups of models. The service that one of them asks is another model of the same cluster."""

    @contextmanager
    def open_group(group: tuple[str, ...]) -> Iterator[Fleet]:
        with fleet(ray_cluster, client, tmp_path_factory.mktemp(group[0])) as found:
            address = ray_cluster.gateway_address
            found.write(**{f"local__{kind}": engine_file(kind, gguf, address) for kind in group})
            found.apply()
            yield found

    found = Fleets(open_group)
    yield found
    found.close()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("llama_cpp", marks=pytest.mark.ray),
        pytest.param("saas", marks=pytest.mark.ray),
        pytest.param("vllm", marks=pytest.mark.vllm),
        pytest.param("transformers", marks=pytest.mark.vllm),
    ],
)
def engine(request: pytest.FixtureRequest, fleets: Fleets) -> Engine:
    """A model of each type in turn."""
    return Engine(fleets.serving(request.param), f"local/{request.param.replace('_', '-')}")

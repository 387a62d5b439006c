"""What a model compiles to, handed to Ray Serve's own forms and to the engine's configuration."""

from dataclasses import replace

import pytest

from reconciler.registry.choices import VLLM_TYPES
from reconciler.registry.cluster import Cluster
from reconciler.registry.registry import ClusterEntry, ModelEntry, Registry
from reconciler.state.desired import desired_state
from reconciler.state.runtime_packages import RuntimePackages

CLUSTER = ClusterEntry("local", "clusters/local.yaml", Cluster(owner="test", local=True))


def hand_to_ray(entry: ModelEntry) -> None:
    """Compile the model as enabled and let `ServeDeploySchema`, and for vLLM `LLMConfig`, judge it: raises what they
    raise. Skips the test where Ray and vLLM are not installed."""
    schema = pytest.importorskip("ray.serve.schema")
    llm = pytest.importorskip("ray.serve.llm")
    spec = entry.spec.model_copy(update={"enabled": True, "clusters": None})
    desired = desired_state(
        Registry((replace(entry, spec=spec),), (CLUSTER,)), CLUSTER, RuntimePackages("gcs://e.zip", "gcs://g.zip")
    )
    [model] = [one.application.config for one in desired.applications if one.model is not None]
    schema.ServeDeploySchema.model_validate({"applications": [dict(model)]})
    if spec.engine_config.type in VLLM_TYPES:
        llm.LLMConfig(**model["args"]["llm_config"]).get_engine_config()

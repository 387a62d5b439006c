"""The names a model gets in Ray Serve. Ray's LLM builder uses the same replacement (`_get_deployment_name`)."""

from reconciler.registry.model_id import GATEWAY_APPLICATION, application_name

__all__ = [
    "GATEWAY_APPLICATION",
    "GATEWAY_DEPLOYMENT",
    "PROVENANCE_KEY",
    "application_name",
    "deployment_name",
    "import_path",
]

GATEWAY_DEPLOYMENT = "Gateway"
"""Name of the gateway's only deployment."""

PROVENANCE_KEY = "provenance"
"""The key in the gateway's `user_config` below which it is remembered who applied what (`state.provenance`)."""


def deployment_name(model_id: str) -> str:
    """The deployment's name of a model, as `ray.serve.llm.build_llm_deployment` forms it."""
    return f"LLMServer:{application_name(model_id)}"


def import_path(kind: str) -> str:
    """What Ray Serve imports for a kind of application: the `build` function of its folder in `runtime`."""
    return f"runtime.{kind}:build"

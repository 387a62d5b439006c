"""The names a model gets in Ray Serve. Ray's LLM builder uses the same replacement (`_get_deployment_name`)."""

from reconciler.registry.model_id import GATEWAY_APPLICATION, application_name

__all__ = ["GATEWAY_APPLICATION", "GATEWAY_DEPLOYMENT", "application_name", "deployment_name"]

GATEWAY_DEPLOYMENT = "Gateway"
"""Name of the gateway's only deployment."""


def deployment_name(model_id: str) -> str:
    """The deployment's name of a model, as `ray.serve.llm.build_llm_deployment` forms it."""
    return f"LLMServer:{application_name(model_id)}"

"""The names a model gets in Ray Serve. Ray's LLM builder uses the same replacement (`_get_deployment_name`)."""

GATEWAY_APPLICATION = "gateway"
"""Name of the gateway's application. No model may be named so."""

GATEWAY_DEPLOYMENT = "Gateway"
"""Name of the gateway's only deployment."""


def application_name(model_id: str) -> str:
    """The application's name of a model: `/` becomes `--` and `.` becomes `_`."""
    return model_id.replace("/", "--").replace(".", "_")


def deployment_name(model_id: str) -> str:
    """The deployment's name of a model, as `ray.serve.llm.build_llm_deployment` forms it."""
    return f"LLMServer:{application_name(model_id)}"

"""What a model id may look like and the name it gets in Ray Serve.

The name is the one Ray's LLM builder forms for its deployments (`_get_deployment_name` in `ray.llm._internal.serve`).
"""

import re

GATEWAY_APPLICATION = "gateway"
"""Name of the gateway's application. No model may be named so."""

MAX_MODEL_ID_LENGTH = 200
"""Characters. The id becomes part of file names (255 bytes) and of actor, deployment and log names."""

_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


def application_name(model_id: str) -> str:
    """The application's name of a model: `/` becomes `--` and `.` becomes `_`."""
    return model_id.replace("/", "--").replace(".", "_")


def is_model_id(text: str) -> bool:
    """Whether `text` is letters, digits, `.`, `_`, `-` in parts joined by `/`: safe in URLs, file and Ray names."""
    return _MODEL_ID.fullmatch(text) is not None and len(text) <= MAX_MODEL_ID_LENGTH

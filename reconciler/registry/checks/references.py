"""References to variables of the cluster's nodes: `${env:NAME}`."""

import re
from collections.abc import Iterable
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.checks.strings import strings
from reconciler.registry.key_path import KeyPath
from reconciler.registry.registry import ModelEntry

Place = tuple[Any, ...]

REFERENCE = re.compile(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}")
"""One well-formed reference."""

_ATTEMPT = re.compile(r"\$\{|\$env:", re.IGNORECASE)

_RESOLVED: tuple[Place, ...] = (
    ("engine_config", "hf_model_id"),
    ("engine_config", "tokenizer_id"),
    ("engine_config", "engine_kwargs"),
    ("engine_config", "runtime_env", "env_vars"),
    ("engine_config", "s3_mirror_config"),
    ("engine_config", "gcs_mirror_config"),
    ("engine_config", "gguf_file"),
    ("engine_config", "lora_config", "dynamic_lora_loading_path"),
    ("engine_config", "lora_config", "adapters", ..., "source"),
    ("engine_config", "saas", "base_url"),
    ("engine_config", "saas", "model"),
    ("engine_config", "saas", "api_key"),
    ("engine_config", "saas", "headers"),
    ("engine_config", "saas", "options"),
)
"""The keys whose values reach a node and are resolved there; `...` stands for every item of a list."""

_VERBATIM: tuple[Place, ...] = (
    ("engine_config", "generation", "prompt_format"),
    ("engine_config", "engine_kwargs", "chat_template"),
    ("engine_config", "model_description"),
    ("engine_config", "lora_config", "adapters", ..., "description"),
)
"""Text for people and models, in which `${` is nothing special."""

_ELSEWHERE: dict[str, Any] = {"engine_config": {path[1]: ... for path in _RESOLVED if len(path) == 2}}
_ELSEWHERE["engine_config"]["runtime_env"] = {"env_vars"}
_ELSEWHERE["engine_config"]["lora_config"] = {
    "dynamic_lora_loading_path": ...,
    "adapters": {"__all__": {"source"}},
}
_ELSEWHERE["engine_config"]["saas"] = {path[2] for path in _RESOLVED if path[1] == "saas"}
"""Where most references are, as pydantic leaves it out."""


def malformed_reference(entry: ModelEntry) -> Iterable[Diagnostic]:
    """What looks like a reference is one."""
    # Looking through the JSON first is a tenth of walking through the values, and few files get further.
    if not _ATTEMPT.search(REFERENCE.sub("", entry.spec.model_dump_json(exclude_unset=True))):
        return
    for path, value in strings(entry):
        if not _below(path, _VERBATIM) and _ATTEMPT.search(REFERENCE.sub("", value)):
            message = "this is no reference to a variable: it has the form `${env:NAME}`"
            hint = "NAME is letters, digits and `_`, and does not begin with a digit"
            yield Diagnostic(entry.position(path), rule_name(malformed_reference), message, hint)


def misplaced_reference(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A reference stands where it is resolved."""
    if not REFERENCE.search(entry.spec.model_dump_json(exclude_unset=True, exclude=_ELSEWHERE)):
        return
    for path, value in strings(entry):
        if not _below(path, _RESOLVED) and not _below(path, _VERBATIM) and REFERENCE.search(value):
            message = "a reference to a variable is not resolved here"
            hint = (
                "it is in `env_vars`, `engine_kwargs`, `hf_model_id`, `tokenizer_id`, `saas`, the mirrors and adapters"
            )
            yield Diagnostic(entry.position(path), rule_name(misplaced_reference), message, hint)


def _below(path: KeyPath, places: tuple[Place, ...]) -> bool:
    return any(_begins(path, place) for place in places)


def _begins(path: KeyPath, place: Place) -> bool:
    return len(path) >= len(place) and all(part in (..., key) for key, part in zip(path, place, strict=False))

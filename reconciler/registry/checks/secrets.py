"""Secrets are references. What has the shape of a well-known token is found in the text of the file already."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.checks.references import REFERENCE
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry
from reconciler.registry.secret import find_secrets, is_secret_name


def secret_literal(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A text under a secret's name, in `env_vars`, `engine_kwargs` and `saas`, is a reference and never the secret."""
    engine = entry.spec.engine_config
    suspects = [
        *_named_as_secrets(("engine_config", "engine_kwargs"), engine.engine_kwargs),
        *_named_as_secrets(("engine_config", "runtime_env", "env_vars"), engine.runtime_env.env_vars),
    ]
    if engine.saas is not None:
        asked = engine.saas.model_dump(mode="json", include={"api_key", "headers", "options"})
        suspects += _named_as_secrets(("engine_config", "saas"), asked)
    for path, value in suspects:
        if value and not REFERENCE.search(value) and not find_secrets(value):
            name = str(path[-1])
            message = f"{quoted(name)} looks like a secret, and its value stands here in clear"
            variable = re.sub(r"\W", "_", name).upper()
            hint = f"write `${{env:{variable}}}`: the variable is read on the cluster's nodes"
            yield Diagnostic(entry.position(path), rule_name(secret_literal), message, hint)


def _named_as_secrets(path: KeyPath, values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _named_as_secrets((*path, key), value)
        elif isinstance(value, str) and is_secret_name(key):
            yield (*path, key), value

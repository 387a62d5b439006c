"""Rules of an organisation: JSON Schemas in the folder `policies`, applied to the canonical form of every model.

A policy is named by its `$id` (the last part of it) or its file, and may hold `x-message`, what is said when it is
broken (the one nearest to the broken keyword counts), and `x-severity: warning`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.document import Document, parse
from reconciler.registry.folder import SourceFile
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry
from reconciler.registry.validation import dotted
from reconciler.registry.waivers import POLICY

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_RULE = "policy-file"
_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy, ready to be applied."""

    name: str
    file: str
    severity: Severity
    schema: Mapping[str, Any]
    validator: "Draft202012Validator"


def read_policies(sources: Sequence[tuple[SourceFile, bytes]]) -> tuple[tuple[Policy, ...], tuple[Diagnostic, ...]]:
    """The policies in the files, and what is wrong with those that are none."""
    policies: dict[str, Policy] = {}
    diagnostics: list[Diagnostic] = []
    for file, content in sources:
        document, problems = parse(file.shown, content)
        diagnostics.extend(problems)
        policy = None if document is None else _policy(document, file.stem)
        if isinstance(policy, Diagnostic):
            diagnostics.append(policy)
        elif policy is not None and policy.name in policies:
            message = f"the policy {quoted(policy.name)} is already in `{policies[policy.name].file}`"
            diagnostics.append(Diagnostic(Position(file.shown), _RULE, message, "give one of them another `$id`"))
        elif policy is not None:
            policies[policy.name] = policy
    return tuple(policies.values()), tuple(diagnostics)


def check_policies(policies: Sequence[Policy], entry: ModelEntry) -> Iterator[Diagnostic]:
    """What of a model file the policies forbid."""
    document = entry.spec.model_dump(mode="json") if policies else None
    for policy in policies:
        try:
            broken = list(policy.validator.iter_errors(document))
        except RecursionError:
            message = f"the policy {quoted(policy.name)} refers to itself without end"
            yield Diagnostic(entry.position(), _RULE, message, f"break the circle in `{policy.file}`")
            continue
        for error in broken:
            path: KeyPath = tuple(error.absolute_path)
            rule, hint = f"{POLICY}{policy.name}", policy.schema.get("description")
            position = entry.position(path)
            yield Diagnostic(position, rule, _message(policy, error, path), _line(hint) or None, policy.severity)


def _policy(document: Document, stem: str) -> Policy | Diagnostic:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry

    schema = document.value
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        path = tuple(error.absolute_path)
        position = _position(document, path)
        return Diagnostic(position, _RULE, f"`{dotted(path) or 'the schema'}` is not as JSON Schema has it", None)
    except RecursionError:
        return Diagnostic(Position(document.file), _RULE, "the schema is nested too deeply", None)
    name = re.split(r"[/:#]", str(schema.get("$id", stem)).rstrip("/#"))[-1].removesuffix(".json")
    severity = schema.get("x-severity", "error")
    if not _NAME.fullmatch(name):
        message = f"{quoted(name)} is no name for a policy"
        hint = "end `$id`, or name the file, with lower-case letters, digits, `.` and `-`"
        return Diagnostic(_position(document, ("$id",)), _RULE, message, hint)
    if severity not in ("error", "warning"):
        message = "`x-severity` is neither `error` nor `warning`"
        return Diagnostic(_position(document, ("x-severity",)), _RULE, message, None)
    for path, reference in _references(schema, ()):
        if not _leads_somewhere(schema, reference):
            message = f"the reference {quoted(reference)} leads to nothing in this file"
            return Diagnostic(_position(document, path), _RULE, message, "nothing is fetched: write it under `$defs`")
    # A registry of its own, because the default one fetches what it does not know.
    validator = Draft202012Validator(schema, registry=Registry())
    return Policy(name, document.file, Severity(severity), schema, validator)


def _references(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("$ref", "$dynamicRef") and isinstance(inner, str):
                yield (*path, key), inner
            else:
                yield from _references(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, (*path, index))


def _leads_somewhere(schema: Mapping[str, Any], reference: str) -> bool:
    """Whether a reference is `#` or a JSON pointer to a place in this schema."""
    if reference == "#":
        return True
    if not reference.startswith("#/"):
        return False
    value: Any = schema
    for part in reference.removeprefix("#/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return False
    return isinstance(value, dict | bool)


def _message(policy: Policy, error: "ValidationError", path: KeyPath) -> str:
    """The nearest `x-message`, or the broken keyword. The value itself is never shown: it may be a secret."""
    own = _nearest_message(policy.schema, error)
    if own:
        return own
    wanted = json.dumps(error.validator_value, ensure_ascii=False, default=str)
    wanted = wanted if len(wanted) <= _MAX_SHOWN else f"{wanted[:_MAX_SHOWN]}…"
    where = f"`{dotted(path)}`" if path else "the model"
    return _line(f"{where} must agree with {quoted(f'{error.validator}: {wanted}')}")


def _nearest_message(schema: Mapping[str, Any], error: "ValidationError") -> str:
    if isinstance(error.schema, dict) and "x-message" in error.schema:
        return _line(error.schema["x-message"])
    message, inner = schema.get("x-message"), schema
    for part in error.absolute_schema_path:
        if isinstance(inner, dict) and part not in inner:
            break
        inner = inner[part]  # type: ignore[index]
        if isinstance(inner, dict):
            message = inner.get("x-message", message)
        elif not isinstance(inner, list):
            break
    return _line(message)


def _line(text: Any) -> str:
    """The text of a schema on one line without control characters."""
    joined = " ".join(text.split()) if isinstance(text, str) else ""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in joined)


def _position(document: Document, path: KeyPath) -> Position:
    while path and path not in document.positions:
        path = path[:-1]
    return document.positions[path]

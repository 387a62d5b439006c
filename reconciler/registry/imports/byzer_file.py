"""The YAML of `byzerllm deploy --file`: the same arguments as the flags, whose place they take.

A text that begins with `ENV` is a Jinja template over environment variables (`src/byzerllm/byzerllm_command.py`); one
that names a variable is a reference to it.
"""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.dialects.translation import Fate, KeyFate
from reconciler.registry.document import Document, parse
from reconciler.registry.imports.byzer_command import Arguments, parameter_path
from reconciler.registry.imports.source import Find
from reconciler.registry.quoted import quoted

_TELLING = frozenset({"pretrained_model_type", "infer_backend", "infer_params", "model_path", "gpus_per_worker"})
_TEMPLATE = re.compile(r"ENV\s*\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}\s*")


def is_arguments(document: Document) -> bool:
    """Whether a YAML file holds the arguments of `byzerllm deploy --file`."""
    return not _TELLING.isdisjoint(document.value) and "model" in document.value


def with_file(arguments: Arguments, find: Find) -> tuple[Document, list[Diagnostic], list[KeyFate]]:
    """The arguments with those of `--file`, which count first; what is wrong, and what became of replaced flags."""
    document, problems = arguments.document(), list(arguments.diagnostics)
    fates: list[KeyFate] = []
    reference = document.value.get("file")
    if reference is None:
        return document, problems, fates
    place = document.positions[("file",)]
    found = find(str(reference), document.file)
    if len(found) != 1:
        message = f"the file {quoted(reference)} of `--file` is not there"
        problems.append(Diagnostic(place, "missing-file", message, "put it beside the script"))
        return document, problems, fates
    inner, more = parse(found[0].file, found[0].content)
    problems.extend(more)
    if inner is None:
        return document, problems, fates
    inner = from_yaml(inner)
    for name in document.value.keys() & inner.value.keys():
        position, reason = document.positions[(name,)], f"{found[0].file} gives it, and counts"
        fates.append(KeyFate((name,), position, Fate.OBSOLETE, None, reason))
        warning = f"`--{name}` does not count: {found[0].file} gives it, too"
        problems.append(Diagnostic(position, "given-twice", warning, "remove one of them", Severity.WARNING))
    positions = {
        **{path: place for path, place in document.positions.items() if not path or path[0] not in inner.value},
        **{path: place for path, place in inner.positions.items() if path},
    }
    merged = Document(document.file, {**document.value, **inner.value}, positions, inner.refused)
    return merged, problems, fates


def from_yaml(document: Document) -> Document:
    """A YAML file's arguments in the form that the command's have: parameters in groups, references for templates."""
    arguments = Arguments(document.file)
    arguments.positions[()] = document.positions[()]
    for name, value in document.value.items():
        if name == "infer_params" and isinstance(value, Mapping):
            for parameter, inner in value.items():
                position = document.positions.get((name, parameter), document.positions[(name,)])
                if isinstance(inner, Mapping):
                    for key, item in inner.items():
                        arguments.set((name, parameter, key), item, position)
                else:
                    arguments.set(parameter_path(parameter), inner, position)
        else:
            arguments.set((name,), _reference(value), document.positions[(name,)])
    return arguments.document()


def _reference(value: Any) -> Any:
    """A template over environment variables as a reference to one."""
    match = _TEMPLATE.fullmatch(value) if isinstance(value, str) else None
    return f"${{env:{match[1]}}}" if match else value

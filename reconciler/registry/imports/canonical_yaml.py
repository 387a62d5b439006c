"""A model file written out: canonical order, one spelling for every value, comments above."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from reconciler.registry.scalar import resolve
from reconciler.registry.spec import ModelSpec

EDITOR_LINE = "# yaml-language-server: $schema=../schemas/model.schema.json"
"""Tells an editor which schema the file has."""

_COLON = re.compile(r"(?<!\$\{env):(?!//)")
_SECTIONS = frozenset({"rollout", "deployment_config", "engine_config", "scaling_config"})
"""An empty line goes before each."""


def canonical_yaml(value: Mapping[str, Any], comments: Iterable[str]) -> str:
    """The text of a model file. Keys of the form come in its order and others after them, sorted; the same value always
    gives the same text.
    """
    lines = [EDITOR_LINE, *(f"# {comment}" for comment in comments)]
    for key, item in _ordered(value, ModelSpec).items():
        if key in _SECTIONS:
            lines.append("")
        lines.append(_dump({key: item}))
    return "\n".join(lines) + "\n"


def _ordered(value: Mapping[str, Any], form: type[BaseModel] | None) -> dict[str, Any]:
    fields = form.model_fields if form is not None else {}
    known = [key for key in fields if key in value]
    ordered: dict[str, Any] = {}
    for key in (*known, *sorted(key for key in value if key not in fields)):
        item = value[key]
        inner = _form(fields[key].annotation) if key in fields else None
        ordered[key] = _ordered(item, inner) if isinstance(item, Mapping) else item
    return ordered


def _form(annotation: Any) -> type[BaseModel] | None:
    return next((form for form in _forms(annotation)), None)


def _forms(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _forms(argument)


class _Dumper(yaml.SafeDumper):
    """Quotes every text that any YAML reader takes for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written where it stands."""
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list stand deeper than their key."""
        del indentless
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = resolve(text) == (text, None) and dumper.analyze_scalar(text).allow_block_plain and not _COLON.search(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _represent_text)


def _dump(value: Mapping[str, Any]) -> str:
    text: str = yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return text.rstrip("\n")

"""One YAML file as plain data, with the place of every key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry import source_text
from reconciler.registry.key_path import KeyPath
from reconciler.registry.syntax_error import syntax_error
from reconciler.registry.yaml_reader import Refused, YamlReader


@dataclass(frozen=True, slots=True)
class Document:
    """The content of one file."""

    file: str
    value: Mapping[str, Any]
    positions: Mapping[KeyPath, Position]
    """Where each key and list item was written; the empty path is the document."""
    refused: frozenset[KeyPath]
    """Values that a diagnostic stands for already."""


def parse(file: str, content: bytes) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The document in a file, or None where it cannot be told, and everything that is wrong with it as YAML."""
    text, diagnostics = source_text.decode(file, content)
    if text is None:
        return None, diagnostics
    reader = YamlReader(file)
    try:
        reader.read(CParser(text))
    except Refused as refused:
        return None, (*diagnostics, *reader.diagnostics, refused.diagnostic)
    except MarkedYAMLError as error:
        return None, (*diagnostics, *reader.diagnostics, syntax_error(file, text, error))
    document = Document(file, reader.root, reader.positions, frozenset(reader.refused))
    return document, (*diagnostics, *reader.diagnostics)

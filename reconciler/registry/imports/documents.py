"""The documents of a YAML file that may hold several, and the documents that stand as text inside others."""

import re
from dataclasses import dataclass
from typing import Any

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError
from yaml.events import DocumentStartEvent, ScalarEvent, StreamEndEvent

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry import source_text
from reconciler.registry.document import Document, parse
from reconciler.registry.key_path import KeyPath
from reconciler.registry.syntax_error import syntax_error

MAX_DOCUMENTS = 200
"""Documents of one file."""

_BLOCK = re.compile(r":[ \t]+\|[-+0-9]*[ \t]*(#.*)?")


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document, the text of the whole file it stands in, and what is wrong with it as YAML."""

    document: Document | None
    text: str
    diagnostics: tuple[Diagnostic, ...]


def parse_documents(file: str, content: bytes) -> tuple[SourceDocument, ...]:
    """Every document of a file that is not empty, each with the positions it has in the file."""
    text, problems = source_text.decode(file, content)
    if text is None:
        return (SourceDocument(None, "", problems),)
    try:
        starts = _starts(text)
    except MarkedYAMLError as error:
        return (SourceDocument(None, text, (syntax_error(file, text, error),)),)
    if len(starts) > MAX_DOCUMENTS:
        message = f"the file has more than {MAX_DOCUMENTS} documents"
        problem = Diagnostic(Position(file), "too-many-documents", message, "import it in parts")
        return (SourceDocument(None, text, (problem,)),)
    if all(empty for _, empty in starts):
        problem = Diagnostic(Position(file), "empty-file", "the file is empty", "name another one")
        return (SourceDocument(None, text, (problem,)),)
    ends = [start for start, _ in starts[1:]] + [len(text)]
    pieces = zip(starts, ends, strict=True)
    return tuple(_piece(file, text, start, end) for (start, empty), end in pieces if not empty)


def embedded(source: SourceDocument, path: KeyPath, text: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """The document that stands as text at `path`. In a literal block every key has its own place, else that of `path`.

    The positions inside are those of the file; the paths inside are those of the embedded document.
    """
    assert source.document is not None
    file, key = source.document.file, source.document.positions[path]
    lines = source.text.split("\n")
    if _BLOCK.search(lines[key.line - 1], key.column - 1) is None:
        document, problems = parse(file, text.encode())
        return _moved(document, lambda _: key), tuple(_at(problem, key) for problem in problems)
    first = next((index for index, line in enumerate(text.split("\n")) if line.strip()), 0)
    indent = _indent(lines[key.line + first]) - _indent(text.split("\n")[first])
    document, problems = parse(file, ("\n" * key.line + text).encode())

    def place(inner: Position) -> Position:
        return Position(file, inner.line, inner.column + indent)

    return _moved(document, place), tuple(_at(problem, place(problem.position)) for problem in problems)


def with_embedded(document: Document, path: KeyPath, inner: Document) -> Document:
    """The document with what stood as text at `path` as a part of it."""
    positions = dict(document.positions)
    positions.update({(*path, *below): place for below, place in inner.positions.items() if below})
    refused = document.refused | {(*path, *below) for below in inner.refused}
    value = replaced(document.value, path, inner.value)
    return Document(document.file, value, positions, refused)


def part(document: Document, path: KeyPath) -> Document:
    """The mapping at `path` as a document of its own."""
    value: Any = document.value
    for step in path:
        value = value[step]
    length = len(path)
    positions = {found[length:]: place for found, place in document.positions.items() if found[:length] == path}
    refused = frozenset(found[length:] for found in document.refused if found[:length] == path)
    return Document(document.file, value, positions, refused)


def _starts(text: str) -> list[tuple[int, bool]]:
    """Where each document begins, the first one with whatever comments are before it, and whether it is empty."""
    parser = CParser(text)
    starts: list[tuple[int, bool]] = []
    while not isinstance(event := parser.get_event(), StreamEndEvent):
        if isinstance(event, DocumentStartEvent) and event.start_mark is not None:
            start = text.rfind("\n", 0, event.start_mark.index) + 1
            content = parser.get_event()
            empty = isinstance(content, ScalarEvent) and content.value == "" and content.implicit[0]
            starts.append((start if starts else 0, empty))
    return starts


def _piece(file: str, text: str, start: int, end: int) -> SourceDocument:
    # Empty lines in front give every key the line it has in the file.
    document, problems = parse(file, ("\n" * text.count("\n", 0, start) + text[start:end]).encode())
    return SourceDocument(document, text, problems)


def _moved(document: Document | None, place: Any) -> Document | None:
    if document is None:
        return None
    positions = {path: place(position) for path, position in document.positions.items()}
    return Document(document.file, document.value, positions, document.refused)


def _at(problem: Diagnostic, position: Position) -> Diagnostic:
    return Diagnostic(position, problem.rule, problem.message, problem.hint, problem.severity)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def replaced(value: Any, path: KeyPath, new: Any) -> Any:
    """A copy of a value with another one at a path."""
    if not path:
        return new
    if isinstance(value, list):
        return [replaced(item, path[1:], new) if index == path[0] else item for index, item in enumerate(value)]
    return {key: replaced(item, path[1:], new) if key == path[0] else item for key, item in value.items()}

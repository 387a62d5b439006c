"""The comments and empty lines of a YAML file, each with the key that it is about."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yaml._yaml import CParser
from yaml.events import ScalarEvent, StreamEndEvent

from reconciler.diagnostics import Position
from reconciler.registry.key_path import KeyPath

_PLACES = tuple[list[tuple[int, int]], list[KeyPath]]


@dataclass(frozen=True, slots=True)
class Comments:
    """What stands around the keys of a file: lines without their indentation, empty ones included."""

    header: list[str] = field(default_factory=list)
    """Before everything."""
    above: dict[KeyPath, list[str]] = field(default_factory=lambda: defaultdict(list))
    beside: dict[KeyPath, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Behind the key or value."""
    below: dict[KeyPath, list[str]] = field(default_factory=lambda: defaultdict(list))
    """After the value of the key, as deep as the key itself: often keys that were commented out."""


@dataclass(frozen=True, slots=True)
class Split:
    """A file's text without its comments, and the comments."""

    text: str
    comments: Comments


def split(text: str, positions: Mapping[KeyPath, Position]) -> Split:
    """Take the comments out of a text that is one YAML document; `positions` are those of its keys and items."""
    inside = _inside_scalars(text)
    comments = Comments()
    places = _places(positions)
    kept: list[str] = []
    offset = 0
    for number, line in enumerate(text.split("\n"), start=1):
        start = _comment_start(line, offset, inside)
        body = line if start is None else line[:start].rstrip()
        if start is not None or (not line.strip() and offset < len(text) and not _within(inside, offset)):
            remark = "" if start is None else line[start:].rstrip()
            _attach(comments, places, number, start, remark, alone=not body.strip())
        kept.append(body)
        offset += len(line) + 1
    return Split("\n".join(kept), comments)


def _attach(comments: Comments, places: _PLACES, number: int, start: int | None, remark: str, *, alone: bool) -> None:
    starts, paths = places
    after = bisect_right(starts, (number, 1 << 30))
    before = after - 1
    if before < 0:
        comments.header.append(remark)
    elif not alone:
        comments.beside[_first_of_line(places, before)].append(remark)
    elif start is None or (after < len(paths) and start + 1 <= starts[after][1]):
        if after < len(paths):
            comments.above[paths[after]].append(remark)
    else:
        comments.below[_as_deep(places, before, start + 1)].append(remark)


def _first_of_line(places: _PLACES, index: int) -> KeyPath:
    starts, paths = places
    while index and starts[index - 1][0] == starts[index][0]:
        index -= 1
    return paths[index]


def _as_deep(places: _PLACES, before: int, column: int) -> KeyPath:
    """The last key before the comment, or the section around it, that begins no deeper than the comment."""
    starts, paths = places
    columns = {path: place[1] for place, path in zip(starts, paths, strict=True)}
    path = paths[before]
    while len(path) > 1 and columns.get(path, 1) > column:
        path = path[:-1]
    return path


def _places(positions: Mapping[KeyPath, Position]) -> _PLACES:
    found = sorted(
        ((position.line, position.column), len(path), index, path)
        for index, (path, position) in enumerate(positions.items())
        if path
    )
    return [place for place, *_ in found], [path for *_, path in found]


def _inside_scalars(text: str) -> bytearray:
    """A flag for each character: whether it is part of a key or value."""
    inside = bytearray(len(text) + 1)
    parser: Any = CParser(text)
    event: Any = parser.get_event()
    while event.__class__ is not StreamEndEvent:
        if event.__class__ is ScalarEvent:
            scalar: Any = event
            start, end = scalar.start_mark.index, scalar.end_mark.index
            inside[start:end] = b"\1" * (end - start)
        event = parser.get_event()
    return inside


def _within(inside: bytearray, offset: int) -> bool:
    return bool(inside[offset])


def _comment_start(line: str, offset: int, inside: bytearray) -> int | None:
    for index, character in enumerate(line):
        if character == "#" and not inside[offset + index] and (index == 0 or line[index - 1] in " \t"):
            return index
    return None

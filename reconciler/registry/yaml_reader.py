"""From the events of libyaml's parser to plain data with the place of every key.

Events and not nodes: that needs no recursion, so that no depth of nesting can exhaust the stack, and every limit is
checked before the memory is spent.
"""

from dataclasses import dataclass, field
from typing import Any

from yaml._yaml import CParser
from yaml.events import AliasEvent, DocumentStartEvent, MappingStartEvent, NodeEvent, ScalarEvent, SequenceStartEvent

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.scalar import Scalar, resolve
from reconciler.registry.secret import is_secret_path

MAX_DEPTH = 40
"""Mappings and lists inside each other."""

MAX_VALUES = 20_000
"""Keys and values of one file, counting what an alias repeats."""


class Refused(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read. `key` is the key that waits for its value."""

    container: dict[str, Any] | list[Any]
    path: KeyPath
    anchor: str | None
    count_before: int
    key: str | None = None


@dataclass(slots=True)
class YamlReader:
    """Builds one document from parser events, collecting what is wrong on the way."""

    file: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    refused: set[KeyPath] = field(default_factory=set)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    stack: list[_Frame] = field(default_factory=list)
    root: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def read(self, parser: CParser) -> None:
        """Read the only document of a stream, whose top level is a mapping."""
        next_event = parser.get_event
        next_event()  # The start of the stream.
        hint = "begin with `engine_config:`, or with `owner:` in a cluster file"
        if next_event().__class__ is not DocumentStartEvent:
            raise self._refuse(Position(self.file), "empty-file", "the file is empty", hint)
        start = next_event()
        self.positions[()] = self._position(start)
        if not isinstance(start, MappingStartEvent):
            raise self._refuse(self._position(start), "no-mapping", "the top level is not a mapping of keys", hint)
        self._check_tag(start, ())
        self.stack.append(_Frame(self.root, (), start.anchor, 0))
        while self.stack:
            self._read_node(next_event())
        next_event()  # The end of the document.
        event = next_event()
        if event.__class__ is DocumentStartEvent:
            message, hint = "a second document begins here", "keep one document to a file"
            raise self._refuse(self._position(event), "several-documents", message, hint)

    def _read_node(self, event: Any) -> None:
        if isinstance(event, ScalarEvent):
            frame = self.stack[-1]
            if frame.key is None and isinstance(frame.container, dict):
                self._read_key(frame, event)
            else:
                path = self._path(frame, event)
                value = self._scalar(event, path)
                self._check_tag(event, path)
                if "\0" in event.value:
                    message = "the escape of a NUL character is not allowed"
                    self._report(self._position(event), "control-character", message, "remove it", path)
                self._add(frame, value)
                self._count(1, event)
                if event.anchor is not None:
                    self.anchors[event.anchor] = (value, 1)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._open(event)
        elif isinstance(event, AliasEvent):
            self._repeat(event)
        else:
            frame = self.stack.pop()
            if frame.anchor is not None:
                self.anchors[frame.anchor] = (frame.container, self.count - frame.count_before)

    def _read_key(self, frame: _Frame, event: ScalarEvent) -> None:
        key = event.value
        path = (*frame.path, key)
        position = self._position(event)
        assert isinstance(frame.container, dict)
        if key == "<<" and event.implicit[0]:
            self._report(position, "merge-key", "merge keys (`<<`) are not supported", "write the keys out", path)
        elif not isinstance(self._scalar(event, path, is_key=True), str) and path not in self.refused:
            message = f"the key {quoted(key)} is not text" if key else "a key is missing before `:`"
            self._report(position, "key-not-text", message, "quote it", path)
        self._check_tag(event, path)
        if key in frame.container:
            first = self.positions[path].line
            message = f"the key {quoted(key)} is given twice; the first is on line {first}"
            self._report(position, "duplicate-key", message, "keep one of them", path)
        else:
            self.positions[path] = position
        if event.anchor is not None:
            self.anchors[event.anchor] = (key, 1)
        self._count(1, event)
        frame.key = key

    def _open(self, event: Any) -> None:
        frame = self.stack[-1]
        self._refuse_complex_key(frame, event)
        path = self._path(frame, event)
        if len(self.stack) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} mappings and lists inside each other"
            raise self._refuse(
                self._position(event), "nested-too-deeply", message, "quote text that begins with `-`, `[` or `{`"
            )
        self._check_tag(event, path)
        container: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
        self._add(frame, container)
        self.stack.append(_Frame(container, path, event.anchor, self.count))
        self._count(1, event)

    def _repeat(self, event: AliasEvent) -> None:
        frame = self.stack[-1]
        self._refuse_complex_key(frame, event)
        self._path(frame, event)
        if event.anchor not in self.anchors:
            message = f"the alias {quoted(f'*{event.anchor}')} has no anchor that ends before it"
            raise self._refuse(self._position(event), "unknown-alias", message, "quote text that begins with `*`")
        value, size = self.anchors[event.anchor]
        self._add(frame, value)
        self._count(size, event)

    def _refuse_complex_key(self, frame: _Frame, event: NodeEvent) -> None:
        if frame.key is None and isinstance(frame.container, dict):
            message = "a key must be text"
            hint = 'quote text that holds braces: `"{instruction}"`'
            raise self._refuse(self._position(event), "key-not-text", message, hint)

    def _path(self, frame: _Frame, event: NodeEvent) -> KeyPath:
        """The path of the value that comes now. A list item gets its position here, a mapping's value has its key's."""
        if frame.key is not None:
            return (*frame.path, frame.key)
        path = (*frame.path, len(frame.container))
        self.positions[path] = self._position(event)
        return path

    def _add(self, frame: _Frame, value: Any) -> None:
        if isinstance(frame.container, list):
            frame.container.append(value)
        else:
            assert frame.key is not None
            frame.container[frame.key] = value
            frame.key = None

    def _scalar(self, event: ScalarEvent, path: KeyPath, *, is_key: bool = False) -> Scalar:
        if not event.implicit[0]:
            return str(event.value)
        value, surprise = resolve(event.value)
        if surprise is not None:
            shown, hint = quoted(event.value), surprise.hint
            if is_key:
                hint = "quote it"
            elif is_secret_path(path):
                shown, hint = "the value", "quote it"
            self._report(self._position(event), surprise.rule, f"{shown} {surprise.meaning}", hint, path)
        return value

    def _check_tag(self, event: Any, path: KeyPath) -> None:
        if event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._report(
                self._position(event), "yaml-tag", f"the tag {quoted(tag)} is not supported", "remove it", path
            )

    def _count(self, size: int, event: NodeEvent) -> None:
        self.count += size
        if self.count > MAX_VALUES:
            message = f"the file has more than {MAX_VALUES:,} values, counting what aliases repeat"
            raise self._refuse(self._position(event), "too-many-values", message, "keep one model to a file")

    def _report(self, position: Position, rule: str, message: str, hint: str, path: KeyPath) -> None:
        self.diagnostics.append(Diagnostic(position, rule, message, hint))
        self.refused.add(path)

    def _refuse(self, position: Position, rule: str, message: str, hint: str) -> Refused:
        return Refused(Diagnostic(position, rule, message, hint))

    def _position(self, event: Any) -> Position:
        mark = event.start_mark
        return Position(self.file, mark.line + 1, mark.column + 1)

"""A translated file as canonical YAML: values as they were written, in the order in which they were written."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, FoldedScalarString, LiteralScalarString

from reconciler.diagnostics import Position
from reconciler.registry.dialects.translation import Translation
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath
from reconciler.registry.migration.correspondence import Correspondence, leaves
from reconciler.registry.scalar import resolve

_WIDTH = 1 << 20
"""No line is ever folded: a value stays on the line of its key."""

_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./-]*")
"""Text that needs no quotes to be text, unless it is a word or number of YAML's."""

_LAST = Position("~", 1 << 30)


def rewrite(text: str, document: Document, translation: Translation, correspondence: Correspondence) -> str:
    """The canonical form of `text`, which holds no comments, as YAML."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    # A lone `---` or a directive says nothing that the text itself does not.
    source = yaml.load(text)
    built = _Builder(source, document, translation, correspondence).build(translation.value, ())
    stream = io.StringIO()
    yaml.dump(built, stream)
    return stream.getvalue()


class _Builder:
    """Puts the canonical tree together from the nodes of the source."""

    def __init__(
        self, source: Any, document: Document, translation: Translation, correspondence: Correspondence
    ) -> None:
        self._source = source
        self._document = document
        self._correspondence = correspondence
        self._places = {
            path: self._written_at(path, translation.positions.get(path)) for path in leaves(translation.value)
        }

    def build(self, value: Mapping[str, Any], path: KeyPath) -> CommentedMap:
        """A mapping with its keys in the order of the source; what nobody wrote comes last."""
        built = CommentedMap()
        for key in sorted(value, key=lambda key: self._place((*path, key))):
            built[self._key(key, (*path, key))] = self._value(value[key], (*path, key))
        return built

    def _value(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, dict) and value:
            return self.build(value, path)
        for source in self._correspondence.origins(path):
            if json.dumps(_find(self._document.value, source)) == json.dumps(value):
                return _unfolded(_find(self._source, source))
        return _spelled(value)

    def _key(self, key: str, path: KeyPath) -> Any:
        """The key, quoted as it was where it has kept its name."""
        source = self._correspondence.source(path)
        section = None if source is None else _find(self._source, source[:-1])
        if isinstance(section, Mapping):
            return next((written for written in section if written == key), _spelled(key))
        return _spelled(key)

    def _place(self, path: KeyPath) -> Position:
        return min(place for leaf, place in self._places.items() if leaf[: len(path)] == path)

    def _written_at(self, path: KeyPath, position: Position | None) -> Position:
        """Where the source of a key stands; of a key without one, that of its twin: `smoothing_factor` became two."""
        source = self._correspondence.source(path)
        if source is not None:
            return self._document.positions.get(source, _LAST)
        twins = (self._document.positions.get(twin) for twin in self._correspondence.targets)
        return _LAST if position is None or position not in twins else position


def _spelled(value: Any) -> Any:
    """A value that nobody wrote like this, its texts in double quotes where they could be taken for something else."""
    if isinstance(value, dict):
        return {_spelled(key): _spelled(child) for key, child in value.items()}
    if isinstance(value, list):
        spelled = CommentedSeq(_spelled(child) for child in value)
        if not any(isinstance(child, dict | list) for child in value):
            spelled.fa.set_flow_style()
        return spelled
    if isinstance(value, str) and not (_PLAIN.fullmatch(value) and resolve(value) == (value, None)):
        return DoubleQuotedScalarString(value)
    return value


def _unfolded(node: Any) -> Any:
    """A value as it was written, but for quoted and plain text over several lines: a comment goes behind one line."""
    if isinstance(node, CommentedMap):
        for key in node:
            node[key] = _unfolded(node[key])
    elif isinstance(node, CommentedSeq):
        for index, child in enumerate(node):
            node[index] = _unfolded(child)
    elif isinstance(node, str) and "\n" in node:
        block = isinstance(node, LiteralScalarString | FoldedScalarString)
        # The empty lines at the end of a block would be taken for empty lines between keys.
        return node if block and not node.endswith("\n\n") else DoubleQuotedScalarString(node)
    return node


def _find(value: Any, path: KeyPath) -> Any:
    for part in path:
        value = value[part]
    return value

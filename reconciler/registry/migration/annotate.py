"""Comments of a source, put around the keys of its canonical form."""

from collections import defaultdict

from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath
from reconciler.registry.migration.comments import Comments
from reconciler.registry.migration.correspondence import Correspondence


def annotate(text: str, document: Document, comments: Comments, correspondence: Correspondence) -> str:
    """`text` with the comments. `document` is the text parsed: it says where each canonical key stands.

    A comment follows its key. One about a key that has no counterpart goes with it.
    """
    lines = text.rstrip("\n").split("\n")
    above: dict[int, list[str]] = defaultdict(list)
    beside: dict[int, list[str]] = defaultdict(list)
    for source, remarks in comments.above.items():
        target = _present(correspondence.target(source), document)
        if target is not None:
            # An empty line separates sections; a section that is a part of another now is no longer one.
            kept = remarks if len(target) == len(source) else [remark for remark in remarks if remark]
            above[document.positions[target].line] += kept
    for source, remarks in comments.beside.items():
        target = _present(correspondence.target(source), document)
        if target is not None:
            beside[document.positions[target].line] += remarks
    below: dict[int, list[str]] = defaultdict(list)
    for source, remarks in comments.below.items():
        target = _present(_kept(source, correspondence), document)
        if target is not None:
            indentation = _indentation(lines[document.positions[target].line - 1])
            below[_end(target, document, len(lines))] += [indentation + remark for remark in remarks]
    result = _once_empty(comments.header)
    for number, line in enumerate(lines, start=1):
        result += _once_empty([remark and _indentation(line) + remark for remark in above[number]], result)
        result.append("  ".join([line, *beside[number]]))
        result += _once_empty(below[number], result)
    return "\n".join(result).rstrip("\n") + "\n"


def _present(target: KeyPath | None, document: Document) -> KeyPath | None:
    """The target, or what it is in, as far as it has a place of its own."""
    while target and target not in document.positions:
        target = target[:-1]
    return target or None


def _kept(source: KeyPath, correspondence: Correspondence) -> KeyPath | None:
    """What became of a key or, where it is gone, of the section it was in."""
    while source and correspondence.target(source) is None:
        source = source[:-1]
    return correspondence.target(source) if source else None


def _end(target: KeyPath, document: Document, last: int) -> int:
    """The last line of a key's value."""
    start = document.positions[target].line
    following = [
        position.line
        for path, position in document.positions.items()
        if path and path[: len(target)] != target and position.line > start
    ]
    return min(following, default=last + 1) - 1


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _once_empty(remarks: list[str], before: list[str] | None = None) -> list[str]:
    """The remarks with one empty line where there are several: keys that stood between them are gone."""
    kept: list[str] = []
    for remark in remarks:
        last = kept[-1] if kept else before[-1] if before else None
        if remark or last:
            kept.append(remark)
    return kept

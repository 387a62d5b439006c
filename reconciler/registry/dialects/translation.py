"""What becomes of a file in a dialect: its canonical form, and the fate of every key that was written."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted


class Fate(StrEnum):
    """What becomes of one key of the source."""

    MAPPED = "mapped"
    METADATA = "kept as metadata"
    OBSOLETE = "obsolete"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class KeyFate:
    """One key of the source: where it stands, what becomes of it, the canonical key it maps to, and why."""

    path: KeyPath
    position: Position
    fate: Fate
    target: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """A file in canonical form. `positions` leads from canonical paths to the places of their source keys."""

    dialect: str
    value: Mapping[str, Any]
    positions: Mapping[KeyPath, Position]
    fates: tuple[KeyFate, ...]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class Translator:
    """Builds a Translation key by key. Every leaf of the source must be given a fate; `finish` refuses what was not.

    A key that was asked for is a key of the dialect: `finish` knows by that what an unknown one may have meant.
    """

    dialect: str
    document: Document
    value: dict[str, Any] = field(default_factory=dict)
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    fates: dict[KeyPath, KeyFate] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    known: set[KeyPath] = field(default_factory=set)

    def has(self, path: KeyPath) -> bool:
        """Whether the source has something other than null there."""
        return self.get(*path) is not None

    def keys(self, path: KeyPath) -> tuple[str, ...]:
        """The keys of the mapping there, as they were written; none where there is no mapping."""
        value = self.get(*path)
        return tuple(value) if isinstance(value, Mapping) else ()

    def get(self, *path: str | int, default: Any = None) -> Any:
        """The source's value at a path, or `default` where there is none."""
        self.known.add(path)
        value: Any = self.document.value
        for part in path:
            inside = (
                part in value if isinstance(value, Mapping) else isinstance(value, list) and part in range(len(value))
            )
            if not inside:
                return default
            value = value[part]
        return value

    def position(self, path: KeyPath) -> Position:
        """Where a source path stands, or its nearest written parent."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.document.positions:
                return self.document.positions[path[:length]]
        return Position(self.document.file)

    def map(self, source: KeyPath, target: KeyPath, value: Any, reason: str | None = None) -> None:
        """The source key becomes `target` with this value; `reason` where that is more than a copy."""
        self.put(target, value, self.position(source))
        self._decide(source, KeyFate(source, self.position(source), Fate.MAPPED, dotted(target), reason))

    def copy(self, source: KeyPath, target: KeyPath, reason: str | None = None) -> None:
        """The source key becomes `target` as it is, with the places of everything inside. Null is left to `finish`."""
        value = self.get(*source)
        if value is None:
            return
        self.map(source, target, value, reason)
        for path in _inner(value):
            if (*source, *path) in self.document.positions:
                self.positions[(*target, *path)] = self.document.positions[(*source, *path)]

    def put(self, target: KeyPath, value: Any, position: Position) -> None:
        """Set a canonical value that no key of the source holds: a default of the dialect."""
        mapping = self.value
        for part in target[:-1]:
            mapping = mapping.setdefault(str(part), {})
        mapping[str(target[-1])] = value
        self.positions[target] = position

    def value_at(self, target: KeyPath) -> Mapping[str, Any]:
        """What the canonical mapping at a path holds so far."""
        mapping: Mapping[str, Any] = self.value
        for part in target:
            mapping = mapping.get(str(part), {})
        return mapping

    def keep(self, source: KeyPath, reason: str | None = None) -> None:
        """The source key is information for people and changes nothing that runs."""
        self._decide(source, KeyFate(source, self.position(source), Fate.METADATA, None, reason))

    def drop(self, source: KeyPath, reason: str) -> None:
        """The source key means nothing today: a warning with the reason."""
        self._decide(source, KeyFate(source, self.position(source), Fate.OBSOLETE, None, reason))
        message = f"`{dotted(source)}` is obsolete: {reason}"
        self.warn(self.position(source), "obsolete-key", message, "remove it")

    def refuse(self, source: KeyPath, rule: str, message: str, hint: str | None = None) -> None:
        """The source key cannot be carried: an error."""
        self._decide(source, KeyFate(source, self.position(source), Fate.REFUSED, None, message))
        self.diagnostics.append(Diagnostic(self.position(source), rule, message, hint))

    def report(self, position: Position, rule: str, message: str, hint: str | None = None) -> None:
        """An error about something that is missing, or wrong between keys: no key's fate says it."""
        self.diagnostics.append(Diagnostic(position, rule, message, hint))

    def warn(self, position: Position, rule: str, message: str, hint: str | None = None) -> None:
        """Something that a person should know, though the file is read."""
        self.diagnostics.append(Diagnostic(position, rule, message, hint, Severity.WARNING))

    def decided(self, path: KeyPath) -> bool:
        """Whether the source key, or a parent of it, has a fate."""
        return any(path[:length] in self.fates for length in range(1, len(path) + 1))

    def undecided(self) -> Iterator[KeyPath]:
        """The leaves of the source that have no fate yet, nor a parent with one, in the order they were written."""
        for path in _leaves(self.document.value):
            if not self.decided(path):
                yield path

    def finish(self) -> Translation:
        """The translation. A known key that holds nothing changes nothing; every other without a fate is refused."""
        known = {path[:length] for path in self.known for length in range(1, len(path) + 1)}
        sections = {path[:-1] for path in known}
        for path in list(self.undecided()):
            unknown = next((path[:length] for length in range(1, len(path) + 1) if path[:length] not in known), None)
            if unknown is not None:
                if not self.decided(unknown):
                    self._refuse_unknown(unknown, known)
            elif self.get(*path) is None or self.get(*path) == {}:
                self.keep(path, "it holds nothing")
            elif path in sections:
                self.refuse(path, "wrong-type", f"`{dotted(path)}` must be a mapping")
            else:
                self.refuse(path, "wrong-type", f"`{dotted(path)}` has a value that {self.dialect} files do not hold")
        self.positions.setdefault((), self.position(()))
        fates = tuple(sorted(self.fates.values(), key=lambda fate: (fate.position, [str(part) for part in fate.path])))
        return Translation(self.dialect, self.value, self.positions, fates, tuple(self.diagnostics))

    def _refuse_unknown(self, path: KeyPath, known: set[KeyPath]) -> None:
        here = sorted({str(other[-1]) for other in known if other[:-1] == path[:-1]})
        near = get_close_matches(str(path[-1]), here, n=1)
        listed = ", ".join(f"`{name}`" for name in here)
        hint = f"did you mean {quoted(near[0])}?" if near else f"known here are {listed}" if here else None
        self.refuse(path, "unknown-key", f"{quoted(dotted(path))} is not known in {self.dialect} files", hint)

    def _decide(self, source: KeyPath, fate: KeyFate) -> None:
        if source in self.fates:
            raise ValueError(f"`{dotted(source)}` has a fate already: {self.fates[source].fate}")
        self.fates[source] = fate


def dotted(path: KeyPath) -> str:
    """A path as people write it."""
    return ".".join(str(part) for part in path)


def _leaves(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from _leaves(child, (*path, key))
    else:
        yield path


def _inner(value: Any) -> Iterator[KeyPath]:
    """The paths of everything inside a value, itself left out."""
    children: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        yield (key,)
        yield from ((key, *path) for path in _inner(child))

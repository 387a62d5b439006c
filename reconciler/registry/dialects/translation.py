"""What becomes of a file in a dialect: its canonical form, and the fate of every key that was written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.document import Document
from reconciler.registry.registry import KeyPath


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
    """Builds a Translation key by key. Every leaf of the source must be given a fate; `finish` refuses what was not."""

    dialect: str
    document: Document
    value: dict[str, Any] = field(default_factory=dict)
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    fates: dict[KeyPath, KeyFate] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def get(self, *path: str | int, default: Any = None) -> Any:
        """The source's value at a path, or `default` where there is none."""
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

    def put(self, target: KeyPath, value: Any, position: Position) -> None:
        """Set a canonical value that no key of the source holds: a default of the dialect."""
        mapping = self.value
        for part in target[:-1]:
            mapping = mapping.setdefault(str(part), {})
        mapping[str(target[-1])] = value
        self.positions[target] = position

    def keep(self, source: KeyPath, reason: str | None = None) -> None:
        """The source key is information for people and changes nothing that runs."""
        self._decide(source, KeyFate(source, self.position(source), Fate.METADATA, None, reason))

    def drop(self, source: KeyPath, reason: str) -> None:
        """The source key means nothing today: a warning with the reason."""
        self._decide(source, KeyFate(source, self.position(source), Fate.OBSOLETE, None, reason))
        message = f"`{dotted(source)}` is obsolete: {reason}"
        self.diagnostics.append(
            Diagnostic(self.position(source), "obsolete-key", message, "remove it", Severity.WARNING)
        )

    def refuse(self, source: KeyPath, rule: str, message: str, hint: str | None = None) -> None:
        """The source key cannot be carried: an error."""
        self._decide(source, KeyFate(source, self.position(source), Fate.REFUSED, None, message))
        self.diagnostics.append(Diagnostic(self.position(source), rule, message, hint))

    def undecided(self) -> Iterator[KeyPath]:
        """The leaves of the source that have no fate yet, nor a parent with one, in the order they were written."""
        for path in _leaves(self.document.value):
            if not any(path[:length] in self.fates for length in range(1, len(path) + 1)):
                yield path

    def finish(self) -> Translation:
        """The translation. Leaves without a fate are refused as unknown keys."""
        for path in list(self.undecided()):
            self.refuse(path, "unknown-key", f"the key `{dotted(path)}` is not known in {self.dialect}")
        fates = tuple(sorted(self.fates.values(), key=lambda fate: (fate.position, [str(part) for part in fate.path])))
        return Translation(self.dialect, self.value, self.positions, fates, tuple(self.diagnostics))

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

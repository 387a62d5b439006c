"""Which canonical key each key of a translated file has become."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.registry.dialects.translation import Fate, Translation, dotted
from reconciler.registry.key_path import KeyPath


@dataclass(frozen=True, slots=True)
class Correspondence:
    """The ways between the keys of a source and those of its canonical form."""

    targets: dict[KeyPath, KeyPath]
    """Of each source key that was mapped."""
    decided: frozenset[KeyPath]
    """Every source key with a fate."""
    sources: dict[KeyPath, list[KeyPath]]
    """Of each canonical key that source keys became, in the order in which they were written."""

    @classmethod
    def of(cls, translation: Translation) -> "Correspondence":
        """The correspondence of a translation."""
        by_name = {dotted(path): path for path in (*leaves(translation.value), *translation.positions)}
        targets: dict[KeyPath, KeyPath] = {}
        sources: dict[KeyPath, list[KeyPath]] = {}
        for fate in translation.fates:
            if fate.fate is Fate.MAPPED and fate.target in by_name:
                targets[fate.path] = by_name[fate.target]
                sources.setdefault(by_name[fate.target], []).append(fate.path)
        return cls(targets, frozenset(fate.path for fate in translation.fates), sources)

    def target(self, source: KeyPath) -> KeyPath | None:
        """What a source key has become: a key, or for a section the one that its first key is in now."""
        for length in range(len(source), 0, -1):
            if source[:length] in self.targets:
                return (*self.targets[source[:length]], *source[length:])
            if source[:length] in self.decided:
                return None
        for path, target in self.targets.items():
            if path[: len(source)] == source:
                return target[: max(1, len(target) - (len(path) - len(source)))]
        return None

    def source(self, target: KeyPath) -> KeyPath | None:
        """The first source key that became a canonical key or what it is a part of."""
        return next(iter(self.origins(target)), None)

    def origins(self, target: KeyPath) -> list[KeyPath]:
        """Every source key that became a canonical key, or what it is a part of."""
        for length in range(len(target), 0, -1):
            if target[:length] in self.sources:
                return [(*source, *target[length:]) for source in self.sources[target[:length]]]
        return []


def leaves(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of everything in a mapping that is no mapping with keys itself."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    else:
        yield path

"""Candidates that wait for room, kept by what they need, so that a thousand alike are asked about once."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from reconciler.plan.footing import Footing

_Shape = tuple[object, ...]


class Queue:
    """Candidates in the order given. A shape that found no room is not asked about again until there is more."""

    def __init__(self, footings: Iterable[Footing]) -> None:
        ordered = list(footings)
        self._order = {one.name: number for number, one in enumerate(ordered)}
        self._footings = {one.name: one for one in ordered}
        self._shapes = {one.name: one.shape for one in ordered}
        self._lines: dict[_Shape, list[tuple[int, str]]] = {}
        """For each shape those who wait, the first one in front."""
        self._asked: list[tuple[int, str]] = []
        """The first of each line that is not blocked, and some who have left since."""
        self._blocked: set[_Shape] = set()
        for one in ordered:
            self.add(one)

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, one: Footing) -> None:
        """Put a candidate in its place, or back there."""
        shape = self._shapes[one.name]
        line = self._lines.setdefault(shape, [])
        heappush(line, (self._order[one.name], one.name))
        self._ask(shape)

    def offers(self) -> Iterator[Footing]:
        """Each candidate in order that is not blocked; whoever asks says `block`, or takes it by `remove`."""
        while self._asked:
            name = self._asked[0][1]
            shape = self._shapes[name]
            if shape in self._blocked or self._lines.get(shape, [(0, "")])[0][1] != name:
                heappop(self._asked)
            else:
                yield self._footings[name]

    def block(self, one: Footing) -> None:
        """What has its shape finds no room now."""
        self._blocked.add(self._shapes[one.name])

    def remove(self, one: Footing) -> None:
        """It was offered, and has its place."""
        self._leave(self._shapes[one.name])

    def unblock(self) -> None:
        """There is more room: ask again about everything."""
        shapes, self._blocked = self._blocked, set()
        for shape in shapes & self._lines.keys():
            self._ask(shape)

    def pop_first(self) -> Footing:
        """Take out the first of all, blocked or not."""
        _, name = min(line[0] for line in self._lines.values())
        self._leave(self._shapes[name])
        return self._footings[name]

    def _ask(self, shape: _Shape) -> None:
        if shape not in self._blocked:
            heappush(self._asked, self._lines[shape][0])

    def _leave(self, shape: _Shape) -> None:
        line = self._lines[shape]
        heappop(line)
        if line:
            self._ask(shape)
        else:
            del self._lines[shape]

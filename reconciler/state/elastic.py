"""Nodes that a cluster's autoscaler may still add, and the room on them.

The cluster file describes the node types in the words of Ray's autoscaler. Which type the autoscaler takes for what is
pending is its own choice; here it is the one that adds the fewest devices, so what a plan says is one way in which it
fits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.state.capacity import Bundles
from reconciler.state.devices import DEVICE_RESOURCES
from reconciler.state.live import Node
from reconciler.state.placement import Placement, Room

_QUANTITIES = ("CPU", "memory", "object_store_memory")


@dataclass(frozen=True, slots=True)
class NodeType:
    """A kind of node: what each has, and how many there may be."""

    name: str
    resources: Mapping[str, float] = field(hash=False)
    most: int
    least: int = 0


Spare = Mapping[NodeType, int]
"""How many more nodes of each type there may be."""


def spare_nodes(types: Sequence[NodeType], nodes: Iterable[Node]) -> Spare:
    """How many more nodes of each type there may be.

    A living node is of the type that its label `ray.io/node-group` names, which KubeRay and Ray's cluster launcher set,
    else of the first type whose resources it has exactly, else of the first with the same devices and custom resources.
    One that is like none of them counts towards none.
    """
    there = nodes_by_type(types, nodes)
    return {kind: max(kind.most - there[kind.name], 0) for kind in types}


def nodes_by_type(types: Sequence[NodeType], nodes: Iterable[Node]) -> dict[str, int]:
    """How many nodes of each type live, by its name; told apart as `spare_nodes` says."""
    there = dict.fromkeys((kind.name for kind in types), 0)
    for node in nodes:
        kind = _kind_of(node, types)
        if kind is not None:
            there[kind.name] += 1
    return there


def _kind_of(node: Node, types: Sequence[NodeType]) -> NodeType | None:
    named = next((kind for kind in types if kind.name == node.node_type), None)
    exact = (kind for kind in types if _has(node, kind.resources))
    alike = (kind for kind in types if _telling(kind.resources) and _telling(kind.resources) == _telling(node.total))
    return named or next(exact, None) or next(alike, None)


def _has(node: Node, resources: Mapping[str, float]) -> bool:
    return _telling(node.total) == _telling(resources) and all(
        node.total.get(name, 0.0) == amount for name, amount in resources.items()
    )


def _telling(resources: Mapping[str, float]) -> dict[str, float]:
    """What tells one kind of node from another: no quantities that differ a little from node to node."""
    return {
        name: amount for name, amount in resources.items() if name not in _QUANTITIES and not name.startswith("node:")
    }


def with_all(room: Room, spare: Spare) -> Room:
    """A copy of the room with every node that may be added."""
    full = room.copy()
    for kind, count in spare.items():
        for _ in range(count):
            full.add_node(kind.resources)
    return full


class ElasticRoom(Room):
    """A room that takes in nodes of its spare types where replicas find no place on those that are there."""

    def __init__(self, room: Room, spare: Spare) -> None:
        super().__init__(())
        self.become(room)
        self.spare = dict(spare)
        self.added: dict[str, int] = {}
        """Nodes taken in, by the name of their type."""

    def copy(self) -> "ElasticRoom":
        """An independent room that looks the same now."""
        other = ElasticRoom(self, self.spare)
        other.added = dict(self.added)
        return other

    def become(self, other: Room) -> None:
        """Look like another room of the same nodes from now on."""
        super().become(other)
        if isinstance(other, ElasticRoom):
            self.spare, self.added = dict(other.spare), dict(other.added)

    def take_all(self, bundles: Bundles, count: int) -> tuple[Placement, ...] | None:
        """Place `count` replicas, with more nodes if there have to be; or change nothing and return None."""
        before = self.copy()
        placements = []
        for _ in range(count):
            placement = self.take(bundles) or self._grow(bundles)
            if placement is None:
                self.become(before)
                return None
            placements.append(placement)
        return tuple(placements)

    def _grow(self, bundles: Bundles) -> Placement | None:
        """Take in the fewest devices with which one replica finds a place."""
        found = [trial for kind in self.spare if (trial := self._with(bundles, kind)) is not None]
        if found:
            room, placement = min(found, key=lambda trial: trial[0]._price(self))
        else:
            mixed = self._with_any(bundles)
            if mixed is None:
                return None
            room, placement = mixed
        self.become(room)
        return placement

    def _with(self, bundles: Bundles, kind: NodeType) -> "tuple[ElasticRoom, Placement] | None":
        """As few more nodes of one type as hold the replica."""
        trial = self.copy()
        for _ in range(min(self.spare[kind], len(bundles.bundles))):
            trial._take_in(kind)
            placement = trial.take(bundles)
            if placement is not None:
                return trial, placement
        return None

    def _with_any(self, bundles: Bundles) -> "tuple[ElasticRoom, Placement] | None":
        """Nodes of several types: those that the replica takes when all are there."""
        full = self.copy()
        kinds = [kind for kind, count in self.spare.items() for _ in range(min(count, len(bundles.bundles)))]
        there = len(self.free)
        for kind in kinds:
            full._take_in(kind)
        placement = full.take(bundles)
        if placement is None:
            return None
        trial = self.copy()
        for index in sorted({node for node in placement.nodes if node >= there}):
            trial._take_in(kinds[index - there])
        again = trial.take(bundles)
        return None if again is None else (trial, again)

    def _take_in(self, kind: NodeType) -> None:
        self.add_node(kind.resources)
        self.spare[kind] -= 1
        self.added[kind.name] = self.added.get(kind.name, 0) + 1

    def _price(self, before: "ElasticRoom") -> tuple[float, float, int, str]:
        """What the nodes added since bring, devices first."""
        more = {kind: before.spare[kind] - left for kind, left in self.spare.items()}
        devices = sum(
            amount * count
            for kind, count in more.items()
            for name, amount in kind.resources.items()
            if name in DEVICE_RESOURCES
        )
        cpus = sum(kind.resources.get("CPU", 0.0) * count for kind, count in more.items())
        return devices, cpus, sum(more.values()), min(kind.name for kind, count in more.items() if count)

"""How many resources replicas need, as plain numbers in Ray's logical units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.units import Units, to_units

Kind = tuple[tuple[tuple[tuple[str, int], ...], ...], PlacementStrategy]
"""What a replica wants, as a value: the units of each bundle by resource, and the strategy."""


@dataclass(frozen=True)
class Bundles:
    """The placement group of one replica: resources per bundle, and how the bundles are spread over nodes."""

    bundles: tuple[Mapping[str, float], ...]
    strategy: PlacementStrategy = PlacementStrategy.PACK

    @cached_property
    def units(self) -> tuple[Units, ...]:
        """The bundles in Ray's resolution."""
        return tuple(to_units(bundle) for bundle in self.bundles)

    @cached_property
    def kind(self) -> Kind:
        """Equal for replicas that are placed alike."""
        return tuple(tuple(sorted(units.items())) for units in self.units), self.strategy

    @cached_property
    def total(self) -> Mapping[str, float]:
        """Resources of all bundles together."""
        return add_up(self.bundles)


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a plan needs against what the cluster has, in logical resources by name."""

    total: Mapping[str, float]
    used: Mapping[str, float]
    """In use now, by anybody."""
    needed: Mapping[str, float]
    """By all applications that the plan is about when it is carried out, at their lower replica count."""
    peak: Mapping[str, float]
    """The most that is in use at any moment of the rollout, surge replicas included."""
    limit: Mapping[str, float] | None = None
    """What the cluster has with every node that its autoscaler may add; None where the cluster file tells of none."""
    ceiling: Mapping[str, float] | None = None
    """By all applications of the registry at their upper replica count; None where it was not counted."""
    added: Mapping[str, int] = field(default_factory=dict)
    """Nodes that the autoscaler adds for this plan, by type."""


def add_up(amounts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The sum by resource, rounded to Ray's resolution of a ten-thousandth, sorted by resource."""
    total: dict[str, float] = {}
    for resources in amounts:
        for resource, amount in resources.items():
            total[resource] = total.get(resource, 0.0) + amount
    return {resource: round(total[resource], 4) for resource in sorted(total)}


def times(resources: Mapping[str, float], count: int) -> dict[str, float]:
    """The resources of `count` replicas."""
    return {resource: round(amount * count, 4) for resource, amount in resources.items()}


def add_up_replicas(replicas: Iterable[tuple[Bundles, int]]) -> dict[str, float]:
    """The resources of so many replicas of these placement groups together. Thousands of models share a few groups,
    each of which is added up once."""
    groups: dict[int, Bundles] = {}
    counts: dict[int, int] = {}
    for bundles, count in replicas:
        groups[id(bundles)] = bundles
        counts[id(bundles)] = counts.get(id(bundles), 0) + count
    return add_up(times(groups[group].total, count) for group, count in counts.items())

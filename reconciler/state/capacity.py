"""How many resources replicas need, as plain numbers in Ray's logical units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.registry.spec import PlacementStrategy


@dataclass(frozen=True, slots=True)
class Bundles:
    """The placement group of one replica: resources per bundle, and how the bundles are spread over nodes."""

    bundles: tuple[Mapping[str, float], ...]
    strategy: PlacementStrategy = PlacementStrategy.PACK

    @property
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
    """By all applications of the registry when the plan is carried out, at their lower replica count."""
    peak: Mapping[str, float]
    """The most that is in use at any moment of the rollout, surge replicas included."""


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

"""Which bundles fit on which nodes: Ray's placement groups, replayed on plain numbers."""

from collections.abc import Mapping
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
        total: dict[str, float] = {}
        for bundle in self.bundles:
            for resource, amount in bundle.items():
                total[resource] = total.get(resource, 0.0) + amount
        return total


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

"""The GPUs of a cluster by type: what the nodes have, what is in use, and what the registry asks for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveState

ACCELERATOR = "accelerator_type:"
"""Begins the resource by which Ray names what a node has (`ray.util.accelerators`)."""

ANY_TYPE = "GPU"
"""Stands for GPUs whose type nothing names."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """The GPUs of one type, in Ray's logical units."""

    type: str
    """Such as `L4`; `GPU` where the nodes do not say."""
    total: float
    used: float
    """By anybody."""
    wanted: float
    """By the registry's models at their lower bounds."""
    ceiling: float
    """By the registry's models if autoscaling took all of them to their upper bounds."""


def accelerator_of(resources: Mapping[str, float]) -> str | None:
    """The type that resources name, or None."""
    return next((name.removeprefix(ACCELERATOR) for name in sorted(resources) if name.startswith(ACCELERATOR)), None)


def accelerators(desired: DesiredState, live: LiveState) -> tuple[Accelerator, ...]:
    """The GPUs of each type, sorted by type: what the nodes have and what is asked of them.

    A model that names no type may run on any: it counts for the type that all nodes with GPUs have in common, or as
    `GPU` where they differ.
    """
    total: dict[str, float] = defaultdict(float)
    used: dict[str, float] = defaultdict(float)
    for node in live.nodes:
        if node.total.get("GPU"):
            kind = accelerator_of(node.total) or ANY_TYPE
            total[kind] += node.total["GPU"]
            used[kind] += node.used.get("GPU", 0.0)
    common = next(iter(total)) if len(total) == 1 else ANY_TYPE
    wanted: dict[str, float] = defaultdict(float)
    ceiling: dict[str, float] = defaultdict(float)
    for entry in desired.applications:
        gpus = entry.bundles.total.get("GPU", 0.0)
        if gpus:
            kind = accelerator_of(entry.bundles.total) or common
            wanted[kind] += gpus * entry.min_replicas
            ceiling[kind] += gpus * entry.max_replicas
    return tuple(
        Accelerator(kind, total[kind], used[kind], wanted[kind], ceiling[kind]) for kind in sorted({*total, *wanted})
    )

"""Ray's logical resources in words: `4 GPU, 32 CPU`."""

from collections.abc import Iterable, Mapping

from reconciler.state.capacity import Bundles, Capacity
from reconciler.views.printable import plural, printable

_BYTES = ("memory", "object_store_memory")
_FIRST = ("GPU", "CPU")
_KIND = "accelerator_type:"


def amount(resource: str, quantity: float) -> str:
    """A quantity without needless digits; memory in GiB."""
    if resource in _BYTES:
        return f"{quantity / 2**30:.1f} GiB"
    text = f"{quantity:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def ordered(resources: Iterable[str]) -> list[str]:
    """GPUs first, then CPUs, then the others by name."""
    return sorted(resources, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))


def resources(quantities: Mapping[str, float]) -> str:
    """All resources after commas, or `no resources`."""
    present = [name for name in ordered(quantities) if quantities[name] > 0]
    parts = [f"{amount(name, quantities[name])} {printable(name)}" for name in present if not name.startswith(_KIND)]
    # Of these a tiny amount is asked for, only to be placed where that kind of accelerator is.
    kinds = [printable(name.removeprefix(_KIND)) for name in present if name.startswith(_KIND)]
    return (", ".join(parts) or "no resources") + (f" on {', '.join(kinds)}" if kinds else "")


def replica_resources(bundles: Bundles) -> str:
    """What one replica takes, such as `2 GPU, 17 CPU in 3 bundles (STRICT_PACK)`."""
    total = resources(bundles.total)
    if len(bundles.bundles) < 2:
        return total
    return f"{total} in {plural(len(bundles.bundles), 'bundle')} ({bundles.strategy.value})"


def interesting(quantities: Mapping[str, float]) -> dict[str, float]:
    """Without the resources that Ray makes up for each node and for its own object store."""
    return {
        name: quantity
        for name, quantity in quantities.items()
        if not name.startswith("node:") and name not in _BYTES and "_group_" not in name
    }


def growth_lines(capacity: Capacity) -> list[str]:
    """What autoscaling may come to: replicas, the nodes it adds for a plan, and what the cluster may grow to."""
    lines = []
    if capacity.ceiling and any(
        capacity.ceiling[name] > capacity.needed.get(name, 0.0) for name in interesting(capacity.ceiling)
    ):
        lines.append(f"autoscaling may take it to {resources(interesting(capacity.ceiling))}")
    if capacity.added:
        nodes = ", ".join(f"{count} {printable(name)}" for name, count in capacity.added.items())
        lines.append(f"nodes that the autoscaler has to add: {nodes}")
    if capacity.limit is not None:
        lines.append(f"with every node that it may add the cluster has {resources(interesting(capacity.limit))}")
    return lines

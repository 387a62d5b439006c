"""Why a replica can never be placed on a cluster's nodes, in words with numbers."""

from collections.abc import Mapping, Sequence

from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles, add_up
from reconciler.state.devices import DEVICE_RESOURCES


def amounts(resources: Mapping[str, float]) -> str:
    """Resources for people, GPUs first: `2 GPU, 9 CPU`."""
    order = sorted(resources, key=lambda resource: (resource != "GPU", resource != "CPU", resource))
    return ", ".join(f"{resources[resource]:.10g} {resource}" for resource in order) or "nothing"


def misfit(bundles: Bundles, nodes: Sequence[Mapping[str, float]]) -> str:
    """What keeps one replica from being placed on these nodes, known that no choice of them holds it.

    `nodes` holds each node's resources in all. The answer continues a sentence about a replica: `needs 4 GPU on one
    node, the largest node has 2`.
    """
    if not nodes:
        return "finds no living node on the cluster"
    strict_pack = bundles.strategy is PlacementStrategy.STRICT_PACK
    pieces = (bundles.total,) if strict_pack else bundles.bundles
    return (
        _missing(bundles, nodes)
        or _too_large(pieces, nodes)
        or _too_much(bundles, nodes)
        or _too_few_nodes(bundles, nodes)
        or _too_odd(bundles, len(pieces))
    )


def _missing(bundles: Bundles, nodes: Sequence[Mapping[str, float]]) -> str | None:
    absent = [resource for resource in bundles.total if not any(node.get(resource) for node in nodes)]
    return f"needs {', '.join(f'`{resource}`' for resource in absent)}, which no node has" if absent else None


def _too_large(pieces: Sequence[Mapping[str, float]], nodes: Sequence[Mapping[str, float]]) -> str | None:
    for piece in pieces:
        for resource in sorted(piece, key=lambda name: (name != "GPU", name)):
            largest = max(node.get(resource, 0.0) for node in nodes)
            if piece[resource] > largest:
                return f"needs {piece[resource]:.10g} {resource} on one node, the largest node has {largest:.10g}"
    return None


def _too_much(bundles: Bundles, nodes: Sequence[Mapping[str, float]]) -> str | None:
    total = add_up(nodes)
    short = [resource for resource, amount in bundles.total.items() if amount > total[resource]]
    if not short:
        return None
    resource = min(short, key=lambda name: (name != "GPU", name))
    return f"needs {bundles.total[resource]:.10g} {resource}, the cluster has {total[resource]:.10g} in all"


def _too_few_nodes(bundles: Bundles, nodes: Sequence[Mapping[str, float]]) -> str | None:
    if bundles.strategy is not PlacementStrategy.STRICT_SPREAD or len(bundles.bundles) <= len(nodes):
        return None
    return f"needs {len(bundles.bundles)} nodes (STRICT_SPREAD), the cluster has {len(nodes)}"


def _too_odd(bundles: Bundles, pieces: int) -> str:
    wanted = f"needs {amounts(bundles.total)}"
    fractions = _fractions(bundles)
    whole = f"; a fraction stays on one device ({fractions})" if fractions else ""
    if pieces == 1:
        return f"{wanted} on one node, and no node has that together{whole}"
    return f"{wanted} in {pieces} parts ({bundles.strategy}), and no choice of nodes has them{whole}"


def _fractions(bundles: Bundles) -> str:
    """The bundles that take a part of a device, where several do: `0.6 + 0.6 GPU`."""
    for resource in sorted(DEVICE_RESOURCES & bundles.total.keys()):
        parts = [bundle[resource] for bundle in bundles.bundles if bundle.get(resource, 0.0) % 1]
        if len(parts) > 1:
            return f"{' + '.join(f'{part:.10g}' for part in parts)} {resource}"
    return ""

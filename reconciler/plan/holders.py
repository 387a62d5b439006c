"""Who holds the room on the nodes: what each live application takes, ours and others'."""

from collections.abc import Collection, Mapping

from reconciler.plan.footing import live_bundles, room_of
from reconciler.plan.text import plural
from reconciler.registry.choices import PlacementStrategy
from reconciler.state.capacity import Bundles, add_up, times
from reconciler.state.live import LiveApplication, LiveDeployment, LiveState
from reconciler.state.placement import Room

YOUNG_S = 60.0
"""Seconds before the cluster looked at its nodes. The resources of a replica that started earlier were seen there."""


def holders(live: LiveState) -> dict[str, Mapping[str, float]]:
    """The resources that the replicas of each live application hold, by its name.

    Ours say it in their `args`; of others it is read from the effective options of their deployments, which know
    nothing of what a replica starts by itself.
    """
    return {entry.name: held for entry in live.applications if (held := _held(entry))}


def room_now(live: LiveState, wanted: Collection[str] = ()) -> tuple[Room, dict[str, int]]:
    """The cluster's nodes with what is in use on them as far as anybody knows, and the index of each node id; `wanted`
    as in `room_of`."""
    room, node_index = room_of(live, wanted, _held_by_young(live))
    _occupy(room, live, node_index)
    return room, node_index


def _occupy(room: Room, live: LiveState, node_index: Mapping[str, int]) -> None:
    """Count what the replicas of all applications hold on nodes of which the cluster does not say what is in use."""
    untold = {node.node_id for node in live.nodes if not node.use_is_told}
    for entry in live.applications if untold else ():
        for deployment in entry.deployments:
            bundles = replica_bundles(entry, deployment)
            for replica in deployment.replicas:
                if replica.node_id in untold:
                    room.occupy(bundles, node_index[replica.node_id])


def _held_by_young(live: LiveState) -> dict[str, Mapping[str, float]]:
    """What all replicas hold, by the id of each node where one started about when the cluster looked at what is in use,
    or since. Of other nodes the cluster is believed."""
    looked_s = live.use_told_s
    if looked_s is None:
        return {}
    nodes = {
        replica.node_id
        for entry in live.applications
        for deployment in entry.deployments
        for replica in deployment.replicas
        if replica.started_s and replica.started_s > looked_s - YOUNG_S
    }
    held: dict[str, list[Mapping[str, float]]] = {}
    for entry in live.applications if nodes else ():
        for deployment in entry.deployments:
            for replica in deployment.replicas:
                if replica.node_id is not None and replica.node_id in nodes:
                    held.setdefault(replica.node_id, []).extend(_beside_actor(replica_bundles(entry, deployment)))
    return {node: add_up(amounts) for node, amounts in held.items()}


def _beside_actor(bundles: Bundles) -> tuple[Mapping[str, float], ...]:
    """The bundles of a replica that are on the node of its actor: all that are to be together, else its own."""
    together = bundles.strategy in (PlacementStrategy.PACK, PlacementStrategy.STRICT_PACK)
    return bundles.bundles if together else bundles.bundles[:1]


def untold_use(live: LiveState) -> tuple[str, ...]:
    """The warning that goes with `_occupy`."""
    untold = sum(not node.use_is_told for node in live.nodes)
    if not untold:
        return ()
    return (
        f"the cluster does not say what is in use on {untold} of its {plural(len(live.nodes), 'node')}, as with the "
        "second version of Ray's autoscaler: only what the replicas of Serve hold there is counted",
    )


def _held(entry: LiveApplication) -> Mapping[str, float]:
    return add_up(
        times(replica_bundles(entry, deployment).total, _placed(deployment)) for deployment in entry.deployments
    )


def _placed(deployment: LiveDeployment) -> int:
    return sum(replica.node_id is not None for replica in deployment.replicas)


def replica_bundles(entry: LiveApplication, deployment: LiveDeployment) -> Bundles:
    """The resources of one replica of a live application."""
    ours = live_bundles(entry.application) if entry.application else Bundles(())
    if ours.bundles:
        return ours
    group = deployment.options.get("placement_group_bundles")
    if group:
        strategy = deployment.options.get("placement_group_strategy") or PlacementStrategy.PACK
        return Bundles(tuple(group), PlacementStrategy(strategy))
    actor = deployment.options.get("ray_actor_options") or {}
    amounts = {"CPU": actor.get("num_cpus") or 0.0, "GPU": actor.get("num_gpus") or 0.0}
    return Bundles((add_up((amounts, actor.get("resources") or {})),))

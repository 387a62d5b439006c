"""What a candidate has on the nodes now and what it will need: replicas, their bundles, and where they stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.plan.match import Candidate
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.desired import DesiredApplication
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveApplication, LiveState
from reconciler.state.names import GATEWAY_APPLICATION
from reconciler.state.placement import Room

SERVING_STATES = frozenset({"RUNNING", "UPDATING", "PENDING_MIGRATION", "RECOVERING"})
"""States of a replica that answers requests (`ray.serve._private.common.ReplicaState`)."""


@dataclass(frozen=True, slots=True)
class Footing:
    """A candidate on the nodes: its replicas before and after, and the resources of each."""

    candidate: Candidate
    old: Bundles
    homes: tuple[int, ...]
    """For each replica that holds resources, the index of the node its actor is on."""
    new: Bundles
    before: int
    """Replicas Ray aims at now."""
    after: int
    """Replicas Ray will aim at."""
    serves: bool
    """Whether any replica answers requests now."""
    new_key: tuple[object, ...]
    """Equal for new replicas that need the same room."""

    @property
    def name(self) -> str:
        """The application's name."""
        return self.candidate.name

    @property
    def growth(self) -> int:
        """Replicas added on top of those replaced."""
        return max(self.after - self.before, 0)

    @property
    def wanted_beside(self) -> int:
        """New replicas that run beside all the old ones when nothing is to stop before its successor serves."""
        return self.after if self.candidate.restarts else self.growth

    @property
    def starts_anew(self) -> bool:
        """Whether its replicas are replaced and none of them serves, so that nothing is lost by stopping them."""
        return self.candidate.restarts and self.before > 0 and not self.serves

    @property
    def is_gateway(self) -> bool:
        """Whether it is the gateway, which goes first: the models are reached through it."""
        return self.name == GATEWAY_APPLICATION

    @property
    def shape(self) -> tuple[object, ...]:
        """Equal for footings that need the same room. What does not serve makes its own, so it is like no other."""
        return (self.name,) if self.starts_anew else (self.wanted_beside, self.new_key)

    @property
    def size(self) -> tuple[float, float]:
        """The GPUs and CPUs wanted beside the old replicas, to place the largest first."""
        total = self.new.total
        return (total.get("GPU", 0.0) * self.wanted_beside, total.get("CPU", 0.0) * self.wanted_beside)


def footing(candidate: Candidate, node_index: Mapping[str, int]) -> Footing:
    """Read a candidate's footing; `node_index` gives the index in the room of each node id."""
    live = candidate.live if candidate.change.before is not None else None
    replicas = [replica for deployment in (live.deployments if live else ()) for replica in deployment.replicas]
    before = target_replicas(live) if live else 0
    old = live_bundles(live.application) if live and live.application else Bundles(())
    new = candidate.desired.bundles if candidate.desired else Bundles(())
    return Footing(
        candidate=candidate,
        old=old,
        homes=tuple(node_index[node] for replica in replicas if (node := replica.node_id or "") in node_index),
        new=new,
        before=before,
        after=_replicas_after(candidate.desired, before, bool(live and live.deployments)),
        serves=any(replica.state in SERVING_STATES for replica in replicas),
        new_key=bundles_key(new),
    )


def target_replicas(live: LiveApplication) -> int:
    """Replicas that Ray aims at now, over all deployments."""
    return sum(deployment.target_num_replicas for deployment in live.deployments)


def live_bundles(application: Application) -> Bundles:
    """The resources of one replica of a live application of ours, read from its `args`; none where they do not say.

    Somebody may have changed the config behind our back, so nothing in it is taken for granted.
    """
    args = application.config.get("args")
    if not isinstance(args, dict):
        return Bundles(())
    if application.name == GATEWAY_APPLICATION:
        return Bundles((_amounts({"CPU": args.get("num_cpus")}),))
    llm_config = args.get("llm_config")
    group = llm_config.get("placement_group_config") if isinstance(llm_config, dict) else None
    bundles = group.get("bundles") if isinstance(group, dict) else None
    return Bundles(tuple(_amounts(bundle) for bundle in bundles) if isinstance(bundles, list) else ())


def _amounts(bundle: JsonValue) -> dict[str, float]:
    resources = bundle.items() if isinstance(bundle, dict) else ()
    return {name: float(amount) for name, amount in resources if isinstance(amount, int | float)}


def bundles_key(bundles: Bundles) -> tuple[object, ...]:
    """Equal for bundles that need the same room."""
    return (bundles.strategy, tuple(tuple(sorted(bundle.items())) for bundle in bundles.bundles))


def room_of(live: LiveState) -> tuple[Room, dict[str, int]]:
    """The cluster's nodes as they are, and the index of each node id, sorted by id."""
    nodes = sorted(live.nodes, key=lambda node: node.node_id)
    room = Room((node.total for node in nodes), (node.used for node in nodes))
    return room, {node.node_id: index for index, node in enumerate(nodes)}


def start_replicas(desired: DesiredApplication) -> int:
    """Replicas of a first deployment: `initial_replicas`, else the lower bound."""
    initial = _initial_replicas(desired)
    return desired.min_replicas if initial is None else initial


def _replicas_after(desired: DesiredApplication | None, before: int, deployed: bool) -> int:
    """What Ray aims at after the change: any config change resets the count to `initial_replicas` where it is set, else
    the count stays within the new bounds (`ray.serve._private.autoscaling_state`, `register`)."""
    if desired is None:
        return 0
    if not deployed or _initial_replicas(desired) is not None:
        return start_replicas(desired)
    return min(max(before, desired.min_replicas), desired.max_replicas)


def _initial_replicas(desired: DesiredApplication) -> int | None:
    if desired.model is None:
        return None
    return desired.model.spec.deployment_config.autoscaling_config.initial_replicas


def largest_first(footings: Iterable[Footing]) -> list[Footing]:
    """The gateway, then by what they want, largest first: the order in which most fit."""
    return sorted(footings, key=lambda one: (not one.is_gateway, tuple(-amount for amount in one.size), one.name))

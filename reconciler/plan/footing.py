"""What a candidate has on the nodes now and what it will need: replicas, their bundles, and where they stand."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypedDict

import msgspec

from reconciler.plan.match import Candidate
from reconciler.registry.choices import PlacementStrategy
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles, Kind
from reconciler.state.desired import DesiredApplication
from reconciler.state.devices import DEVICE_RESOURCES
from reconciler.state.json_value import JsonValue, parse_json
from reconciler.state.live import LiveApplication, LiveState
from reconciler.state.names import GATEWAY_APPLICATION
from reconciler.state.placement import Room

_MEMORY = ("memory", "object_store_memory")
NOTHING: Mapping[str, Mapping[str, float]] = {}


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
        return self.after if self.candidate.starts_replicas else self.growth

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
        return (self.name,) if self.starts_anew else (self.wanted_beside, self.new.kind)

    @property
    def size(self) -> tuple[float, float]:
        """The GPUs and CPUs wanted beside the old replicas, to place the largest first."""
        total = self.new.total
        return (total.get("GPU", 0.0) * self.wanted_beside, total.get("CPU", 0.0) * self.wanted_beside)


def footing(candidate: Candidate, node_index: Mapping[str, int]) -> Footing:
    """Read a candidate's footing; `node_index` gives the index in the room of each node id."""
    live = candidate.live if candidate.change.before is not None else None
    before = target_replicas(live) if live else 0
    old = live_bundles(live.application) if live and live.application else Bundles(())
    new = candidate.desired.bundles if candidate.desired else Bundles(())
    return Footing(
        candidate=candidate,
        old=old,
        homes=homes(live, node_index) if live else (),
        new=new,
        before=before,
        after=replicas_after(candidate.desired, live),
        serves=bool(live and live.serves),
    )


class _Group(TypedDict, total=False):
    bundles: msgspec.Raw
    strategy: Any


class _LLMConfig(TypedDict, total=False):
    placement_group_config: _Group


class _Args(TypedDict, total=False):
    num_cpus: Any
    llm_config: _LLMConfig
    ray_actor_options: Any


class _Scaling(TypedDict, total=False):
    autoscaling_config: Any
    num_replicas: Any


class _Asked(TypedDict, total=False):
    args: _Args
    runtime_env: Any
    deployments: list[_Scaling] | None


ASKED = msgspec.json.Decoder(_Asked)
"""What a plan asks of every live config: what a replica takes, how many there are, and with which environment."""


def target_replicas(live: LiveApplication) -> int:
    """Replicas that Ray aims at now, over all deployments."""
    return sum(deployment.target_num_replicas for deployment in live.deployments)


def live_bundles(application: Application) -> Bundles:
    """The resources of one replica of a live application of ours, read from its `args`; none where they do not say.

    Somebody may have changed the config behind our back, so nothing in it is taken for granted. Equal ones are often
    the same object.
    """
    args = application.excerpt(ASKED).get("args")
    if not isinstance(args, dict):
        return Bundles(())
    if application.name == GATEWAY_APPLICATION:
        return Bundles((_amounts({"CPU": args.get("num_cpus")}),))
    actor = args.get("ray_actor_options")
    if isinstance(actor, dict):
        return Bundles((_actor(actor),))
    llm_config = args.get("llm_config")
    group = llm_config.get("placement_group_config") if isinstance(llm_config, dict) else None
    bundles = group.get("bundles") if isinstance(group, dict) else None
    strategy = group.get("strategy") if isinstance(group, dict) else None
    if isinstance(bundles, msgspec.Raw):
        return _bundles_of(bytes(bundles), strategy if isinstance(strategy, str) else None)
    return _bundles(bundles, strategy)


@lru_cache(maxsize=4096)
def _bundles_of(text: bytes, strategy: str | None) -> Bundles:
    """Thousands of applications ask for a few different placement groups."""
    return _bundles(parse_json(text), strategy)


def _bundles(bundles: JsonValue, strategy: JsonValue) -> Bundles:
    return Bundles(
        tuple(_amounts(bundle) for bundle in bundles) if isinstance(bundles, list) else (),
        PlacementStrategy(strategy) if strategy in list(PlacementStrategy) else PlacementStrategy.PACK,
    )


def _actor(options: Mapping[str, JsonValue]) -> dict[str, float]:
    """What an actor of these options asks for."""
    more = options.get("resources")
    named = {"CPU": options.get("num_cpus"), "GPU": options.get("num_gpus"), **(more if isinstance(more, dict) else {})}
    return {name: amount for name, amount in _amounts(named).items() if amount}


def _amounts(bundle: JsonValue) -> dict[str, float]:
    resources = bundle.items() if isinstance(bundle, dict) else ()
    return {name: float(amount) for name, amount in resources if isinstance(amount, int | float)}


def room_of(
    live: LiveState, wanted: Collection[str] = (), at_least: Mapping[str, Mapping[str, float]] = NOTHING
) -> tuple[Room, dict[str, int]]:
    """The cluster's nodes as they are, and the index of each node id, sorted by id. `at_least` is what is in use on a
    node, by its id, even where the cluster tells less.

    What each node makes up for itself, `node:10.0.0.1` and its memory, counts only where a replica has it or it is
    `wanted`, so that equal nodes are equal. Which device a fraction of ours is on is worked out from the bundles of
    its replica.
    """
    nodes = sorted(live.nodes, key=lambda node: node.node_id)
    index = {node.node_id: number for number, node in enumerate(nodes)}
    pieces: list[dict[str, list[float]]] = [{} for _ in nodes]
    telling = set(wanted)
    plain: set[int] = set()
    seen = [(entry, live_bundles(entry.application)) for entry in live.applications if entry.application]
    for entry, group in seen:
        if id(group) in plain:
            continue
        bundles = group.bundles
        telling.update(*bundles)
        if not _has_fractions(bundles):
            plain.add(id(group))
            continue
        for home in homes(entry, index):
            for bundle in bundles:
                for resource in DEVICE_RESOURCES & bundle.keys():
                    pieces[home].setdefault(resource, []).append(bundle[resource])
    used = (_at_least(node.used, at_least.get(node.node_id)) for node in nodes)
    return Room((_telling(node.total, telling) for node in nodes), used, pieces), index


def _at_least(told: Mapping[str, float], known: Mapping[str, float] | None) -> Mapping[str, float]:
    if not known:
        return told
    return {name: max(told.get(name, 0.0), known.get(name, 0.0)) for name in {**told, **known}}


def _telling(resources: Mapping[str, float], wanted: Collection[str]) -> dict[str, float]:
    return {
        name: amount
        for name, amount in resources.items()
        if name in wanted or not (name.startswith("node:") or name in _MEMORY)
    }


def homes(live: LiveApplication, node_index: Mapping[str, int]) -> tuple[int, ...]:
    """For each replica that holds resources, the index of the node its actor is on."""
    replicas = (replica for deployment in live.deployments for replica in deployment.replicas)
    return tuple(node_index[node] for replica in replicas if (node := replica.node_id or "") in node_index)


def _has_fractions(bundles: Iterable[Mapping[str, float]]) -> bool:
    return any(bundle[resource] % 1 for bundle in bundles for resource in DEVICE_RESOURCES & bundle.keys())


def start_replicas(desired: DesiredApplication) -> int:
    """Replicas of a first deployment: `initial_replicas`, else the lower bound."""
    initial = initial_replicas(desired)
    return desired.min_replicas if initial is None else initial


def replicas_after(desired: DesiredApplication | None, live: LiveApplication | None) -> int:
    """What Ray aims at after the change: any config change resets the count to `initial_replicas` where it is set, else
    the count stays within the new bounds (`ray.serve._private.autoscaling_state`, `register`)."""
    if desired is None:
        return 0
    if live is None or not live.deployments or initial_replicas(desired) is not None:
        return start_replicas(desired)
    return min(max(target_replicas(live), desired.min_replicas), desired.max_replicas)


def initial_replicas(desired: DesiredApplication) -> int | None:
    """The count that every change of its config sets it back to; None where the file gives none."""
    return desired.initial_replicas


def hardest_first(footings: Iterable[Footing], room: Room) -> list[Footing]:
    """The gateway, then those with the fewest nodes to choose from in that room, then the largest: the order in which
    most fit, and fewest need luck."""
    choices: dict[Kind, int] = {}

    def key(one: Footing) -> tuple[object, ...]:
        if one.new.kind not in choices:
            choices[one.new.kind] = room.choices(one.new)
        return (not one.is_gateway, choices[one.new.kind], tuple(-amount for amount in one.size), one.name)

    return sorted(footings, key=key)

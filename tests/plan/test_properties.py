import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.encode import plan_json
from reconciler.plan.footing import homes, live_bundles, room_of
from reconciler.plan.guards import GUARDS
from reconciler.plan.plan import Action, Plan
from reconciler.registry.registry import ModelEntry
from reconciler.state.capacity import Bundles
from reconciler.state.placement import Room
from tests.support.states import deployed, desired, foreign, gpu_nodes, in_use, live, plan, settled
from tests.support.strategies import configs, registries

used = st.sampled_from([0.0, 4.0, 20.0, 32.0])
PERMISSION = st.fixed_dictionaries(
    {name: st.booleans() for name in ("allow_delete", "allow_downtime", "allow_mass_change", "allow_protected")}
)


def between(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float = 0.0
) -> tuple[Plan, Any]:
    report = deployed(desired(*before), foreign(), nodes=in_use(gpu_nodes(4), GPU=busy / 4, CPU=busy / 4))
    return plan(desired(*after), report, **allowed), report


@given(registries(), registries(), PERMISSION, used)
def test_when_a_plan_is_carried_out_only_what_it_held_is_left(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float
) -> None:
    found, report = between(before, after, allowed, busy)
    if not found.waves:
        return
    again = plan(desired(*after), settled(report, found.waves[-1].document), **allowed)
    held = {hold.action.name for hold in found.holds}
    # The routes of what was held follow once it goes.
    assert {action.name for action in again.actions} <= held | ({"gateway"} if held else set())
    assert {hold.action.name for hold in again.holds} <= held
    if not held:
        assert not again.has_changes


@given(registries(), registries(), PERMISSION, used)
def test_every_document_holds_the_others_unchanged_and_each_name_once(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float
) -> None:
    found, report = between(before, after, allowed, busy)
    theirs = report.applications[-1].application.config
    for wave in found.waves:
        names = [entry["name"] for entry in wave.document["applications"]]
        assert names == sorted(set(names))
        assert [entry for entry in wave.document["applications"] if entry["name"] == "theirs"] == [theirs]
        assert {key: value for key, value in wave.document.items() if key != "applications"} == report.options


@given(registries(), registries(), PERMISSION, used)
def test_what_is_held_stays_in_every_document_as_it_is_live(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float
) -> None:
    found, report = between(before, after, allowed, busy)
    live_configs = {entry.name: entry.application.config for entry in report.applications}
    for wave in found.waves:
        written = {entry["name"]: entry for entry in wave.document["applications"]}
        for hold in found.holds:
            assert written.get(hold.action.name) == live_configs.get(hold.action.name)


@given(registries(), registries(), PERMISSION, used)
def test_the_gateway_never_loses_the_route_of_a_model_that_stays(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float
) -> None:
    found, _ = between(before, after, allowed, busy)
    for wave in found.waves[-1:]:
        written = {entry["name"]: entry for entry in wave.document["applications"]}
        routes = written["gateway"]["deployments"][0]["user_config"]["models"]
        models = {name for name in written if name not in ("gateway", "theirs")}
        assert {route["application"] for route in routes.values()} == models


@given(registries(), registries(), PERMISSION, used)
def test_an_application_is_acted_on_or_held_once(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float
) -> None:
    found, _ = between(before, after, allowed, busy)
    names = [action.name for action in found.actions] + [hold.action.name for hold in found.holds]
    assert len(names) == len(set(names))
    assert all(wave.actions for wave in found.waves)


@given(registries(), registries(), PERMISSION, used)
def test_no_moment_uses_more_than_the_cluster_has(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float
) -> None:
    found, _ = between(before, after, allowed, busy)
    assert all(amount <= found.capacity.total[resource] for resource, amount in found.capacity.peak.items())


@given(registries(), registries(), st.randoms())
def test_the_plan_does_not_depend_on_the_order_of_files(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], random: Any
) -> None:
    report = deployed(desired(*before), foreign())
    shuffled, reports = list(after), list(report.applications)
    random.shuffle(shuffled)
    random.shuffle(reports)
    first = json.dumps(plan_json(plan(desired(*after), report)))
    assert json.dumps(plan_json(plan(desired(*shuffled), live(*reports, nodes=report.nodes)))) == first


@given(configs(name="theirs"))
def test_somebody_elses_application_is_never_touched(config: dict[str, Any]) -> None:
    config["route_prefix"] = "/theirs"
    found = plan(desired(), live(foreign(**config)))
    assert [entry for entry in found.waves[0].document["applications"] if entry["name"] == "theirs"] == [
        {"name": "theirs", "import_path": "their.app:app", **config}
    ]


@given(registries(), registries(), PERMISSION)
def test_the_flag_that_a_guard_names_releases_what_it_holds(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool]
) -> None:
    found, report = between(before, after, allowed)
    for hold in found.holds:
        named = re.findall(r"`--(allow-[a-z-]+)`", hold.release)
        if hold.guard not in GUARDS or not named:
            continue
        flag = named[0].replace("-", "_")
        assert not allowed[flag]
        again = plan(desired(*after), report, **{**allowed, flag: True})
        assert (hold.action.name, hold.guard) not in {(left.action.name, left.guard) for left in again.holds}


@given(registries(), registries(), PERMISSION, used)
def test_every_wave_fits_on_the_nodes_in_whatever_order_ray_takes_it(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], allowed: dict[str, bool], busy: float
) -> None:
    """Replayed from outside: what surges and what is added stands beside all that was there before the wave."""
    found, report = between(before, after, allowed, busy)
    room, index = room_of(report)
    old = {entry.name: (live_bundles(entry.application), homes(entry, index)) for entry in report.applications}
    for wave in found.waves:
        starting = [action for action in wave.actions if action.rollout is None or action.rollout.surge_percent == 100]
        for order in (starting, starting[::-1]):
            trial = room.copy()
            for action in order:
                count = _started(action)
                assert action.bundles is None or trial.take_all(action.bundles, count) is not None
        for action in wave.actions:
            bundles, places = old.get(action.name, (Bundles(()), ()))
            replaced = action.rollout is not None or action.bundles is None
            leaving = places if replaced else places[min(action.replicas_after, action.replicas_before) :]
            if replaced and action.rollout and action.rollout.surge_percent < 100:
                for home in places:
                    room.release(bundles, home)
                assert action.bundles is not None
                assert room.take_all(action.bundles, action.replicas_after) is not None
                continue
            if action.bundles is not None:
                assert room.take_all(action.bundles, _started(action)) is not None
            old[action.name] = (bundles, ())
            room.become(_released(room, bundles, leaving))


def _started(action: Action) -> int:
    return action.replicas_after if action.rollout else max(action.replicas_after - action.replicas_before, 0)


def _released(room: Room, bundles: Bundles, places: tuple[int, ...]) -> Room:
    left = room.copy()
    for home in places:
        left.release(bundles, home)
    return left


@given(registries(), st.integers(1, 4), st.integers(1, 4))
def test_a_larger_cluster_never_holds_fewer_models(after: tuple[ModelEntry, ...], few: int, more: int) -> None:
    """With single workers, where Ray's pass is as good as any."""
    small = plan(desired(*after), live(nodes=gpu_nodes(few, 2)), allow_mass_change=True)
    large = plan(desired(*after), live(nodes=gpu_nodes(few + more, 2)), allow_mass_change=True)
    never = [{hold.action.name for hold in one.holds if hold.guard == "never-fits"} for one in (small, large)]
    assert never[1] <= never[0]

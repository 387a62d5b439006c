import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from reconciler.registry.registry import ModelEntry
from reconciler.state.live import LiveState
from reconciler.state.snapshot import NoSnapshot, Snapshot, believed_equal, read_snapshot, snapshot_json
from tests.support.states import OWNER, deployed, desired, foreign, model, plan
from tests.support.strategies import registries

TIME = "2026-05-01T12:00:00+00:00"
CANARY = "canary-8812"


def there_and_back(live: LiveState) -> Snapshot:
    return read_snapshot(json.loads(json.dumps(snapshot_json(live, cluster="gpus", owner=OWNER, time=TIME))))


@given(registries(), registries())
def test_a_plan_from_a_snapshot_is_the_plan_from_the_cluster(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...]
) -> None:
    live = deployed(desired(*before), foreign())
    state = desired(*after)
    offline = plan(state, believed_equal(there_and_back(live).live, state))
    online = plan(state, live)
    told = [
        [(action.kind, action.name, action.impact, action.rollout) for action in one.actions]
        + [(hold.guard, hold.action.name) for hold in one.holds]
        + [one.unmanaged, one.warnings]
        for one in (offline, online)
    ]
    assert told[0] == told[1]


def test_no_secret_is_in_it() -> None:
    theirs = foreign(
        args={"owner": "others", "password": CANARY}, runtime_env={"env_vars": {"TOKEN": CANARY}}, import_path=CANARY
    )
    ours = model(
        "org/a", engine={"runtime_env": {"env_vars": {"A": "${env:B}", "C": CANARY, "D": f"x${{env:B}}{CANARY}"}}}
    )
    live = deployed(desired(ours), replace(theirs, message=CANARY))
    document = snapshot_json(live, cluster="gpus", owner=OWNER, time=TIME)
    assert CANARY not in json.dumps(document)
    again = there_and_back(live).live
    [engine] = [entry for entry in again.applications if entry.name == "org--a"]
    assert engine.application is not None
    assert engine.application.config["runtime_env"]["env_vars"] == {"A": "${B}", "C": "(hidden)", "D": "(hidden)"}
    assert [
        entry.application and entry.application.owner for entry in again.applications if entry.name == "theirs"
    ] == ["others"]


def test_what_is_hidden_is_taken_for_what_the_registry_has() -> None:
    ours = model("org/a", engine={"runtime_env": {"env_vars": {"C": "x"}}})
    state = desired(ours)
    live = there_and_back(deployed(state)).live
    assert not plan(state, believed_equal(live, state)).has_changes
    other = desired(model("org/a", engine={"runtime_env": {"env_vars": {"C": "x", "NEW": "y"}}}))
    assert plan(other, believed_equal(live, other)).has_changes


def test_odd_variables_are_hidden_whole() -> None:
    theirs = foreign(args={"owner": OWNER}, runtime_env={"env_vars": [CANARY]})
    assert CANARY not in json.dumps(snapshot_json(deployed(desired(), theirs), cluster="g", owner=OWNER, time=TIME))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "not the snapshot"),
        ({"format_version": "1.0"}, "not the snapshot"),
        ({"format_version": "2.0", "applications": []}, "format version 2.0"),
        ({"format_version": "1.0", "applications": []}, "not whole"),
        ({"format_version": "1.0", "applications": [{}], "time": TIME}, "not whole"),
    ],
)
def test_what_is_no_snapshot_is_refused(document: Any, words: str) -> None:
    with pytest.raises(NoSnapshot, match=words):
        read_snapshot(document)


def test_a_program_s_application_has_no_config() -> None:
    program = replace(foreign("program"), declarative=False, application=None)
    live = there_and_back(deployed(desired(), program)).live
    assert believed_equal(live, desired()).application("program") == live.application("program")

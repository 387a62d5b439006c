from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state.live import LiveState
from reconciler.state.provenance import MAX_NAMES, MAX_RECORDS, MAX_TEXT, Names, Record, history, load_seconds
from tests.support.states import OWNER, live, live_application
from tests.support.strategies import json_values

BEGUN = Record("2026-01-02T03:04:05+00:00", "octocat", "c" * 40, "d" * 40, False, "0.1.0")
ENDED = replace(BEGUN, counts={"applied": 3, "held": 1}, left="0123456789abcdef")
FAILED = replace(BEGUN, counts={"failed": 12}, failed=Names(("org--chat",), 11))
ROLLBACK = replace(ENDED, is_rollback=True, rolled_back_from="b" * 40, models=Names(("org/chat",), 2))


def remembering(provenance: Any, owner: str = OWNER) -> LiveState:
    """A cluster whose gateway has this below the key."""
    deployment = {"name": "Gateway", "user_config": {"models": {}, "provenance": provenance}}
    return live(live_application({"name": "gateway", "args": {"owner": owner}, "deployments": [deployment]}))


@pytest.mark.parametrize("record", [BEGUN, ENDED, FAILED, ROLLBACK, Record("2026-01-02", None, None, None, True, None)])
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    assert history(remembering({"history": [record.plain]})) == (record,)


@pytest.mark.parametrize("commit", ["main", "--output=/tmp/x", "c" * 39, "C" * 40, "c" * 41, 5, None, ""])
def test_a_commit_is_a_whole_hash_or_none_at_all(commit: Any) -> None:
    [record] = history(remembering({"history": [{**ENDED.plain, "commit": commit, "rolled_back_from": commit}]}))
    assert (record.commit, record.rolled_back_from) == (None, None)


def test_only_what_came_to_its_end_without_a_failure_ended_well() -> None:
    assert [record.ended_well for record in (BEGUN, ENDED, FAILED, ROLLBACK)] == [False, True, False, True]


def test_the_six_keys_are_always_written_and_the_others_where_they_say_something() -> None:
    assert list(BEGUN.plain) == ["commit", "tree", "dirty", "time", "who", "version"]
    assert FAILED.plain["more_failed"] == 11


def test_the_newest_record_is_first() -> None:
    found = history(remembering({**ENDED.plain, "history": [ENDED.plain, FAILED.plain], "load_seconds": {}}))
    assert found == (ENDED, FAILED)


def test_of_an_older_version_the_last_apply_is_known() -> None:
    assert history(remembering(BEGUN.plain)) == (BEGUN,)


def test_no_more_is_read_than_is_written() -> None:
    many = [f"model-{number}" for number in range(30)]
    plain = {**FAILED.plain, "failed": many, "more_failed": 5, "who": "w" * 5000, "counts": dict.fromkeys(many, 1)}
    found = history(remembering({"history": [plain] * 1000}))
    assert len(found) == MAX_RECORDS
    assert found[0].failed == Names(tuple(many[:MAX_NAMES]), 30 - MAX_NAMES + 5)
    assert (len(found[0].who or ""), len(found[0].counts or ())) == (MAX_TEXT, MAX_NAMES)


@pytest.mark.parametrize(
    "state",
    [
        live(),
        live(live_application({"name": "gateway", "deployments": [{"name": "Gateway"}]})),
        live(live_application({"name": "gateway", "deployments": [{"name": "Gateway", "user_config": "text"}]})),
        remembering(None),
        remembering([ENDED.plain]),
        remembering({}),
        remembering({"history": [{}, None, 5, {"time": "soon"}, {"time": 5}]}),
    ],
)
def test_where_nothing_is_remembered_nothing_is_read(state: LiveState) -> None:
    assert history(state) == ()
    assert load_seconds(state) == {}


def test_the_gateway_of_somebody_else_remembers_for_somebody_else() -> None:
    theirs = remembering({**ENDED.plain, "load_seconds": {"a": 1}}, owner="somebody-else")
    assert history(theirs, OWNER) == ()
    assert load_seconds(theirs, OWNER) == {}
    assert history(theirs) == history(theirs, "somebody-else") == (ENDED,)


def test_load_times_that_make_no_sense_are_left_out() -> None:
    seconds = {"a": 90, "b": 12.5, "c": -1, "d": "90", "e": True, "f": float("nan"), "g": 10**400, "h": None}
    assert load_seconds(remembering({"load_seconds": seconds})) == {"a": 90.0, "b": 12.5}
    assert load_seconds(remembering({"load_seconds": [90]})) == {}


@given(
    st.one_of(
        json_values,
        st.fixed_dictionaries(
            {"history": st.lists(st.dictionaries(st.sampled_from([*ROLLBACK.plain, *FAILED.plain]), json_values))},
            optional={"time": json_values, "load_seconds": json_values},
        ),
        st.builds(
            lambda plain, key, value: {"history": [{**plain, key: value}]},
            st.sampled_from([ROLLBACK.plain, FAILED.plain]),
            st.sampled_from([*ROLLBACK.plain, *FAILED.plain]),
            json_values,
        ),
    )
)
def test_whatever_somebody_wrote_there_can_be_read_and_written_again(provenance: Any) -> None:
    found = history(remembering(provenance))
    assert history(remembering({"history": [record.plain for record in found]})) == found
    assert all(isinstance(seconds, float) for seconds in load_seconds(remembering(provenance)).values())

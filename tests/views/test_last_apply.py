from dataclasses import replace
from typing import Any

import pytest

from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.state.provenance import Record
from reconciler.views.last_apply import last_apply, last_apply_text

RECORD = Record("2026-01-02T03:04:05+00:00", "octocat", "c" * 40, None, False, "1")


def live(owner: str, user_config: dict[str, Any] | None) -> LiveState:
    deployment = {"name": "Gateway", **({} if user_config is None else {"user_config": user_config})}
    application = Application({"name": "gateway", "args": {"owner": owner}, "deployments": [deployment]})
    entry = LiveApplication("gateway", ApplicationStatus.RUNNING, "", application, ())
    return LiveState("2.60.0", (entry,), (), {})


def test_the_record_of_our_gateway() -> None:
    assert last_apply(live("me", {"provenance": RECORD.plain}), "me") == RECORD


@pytest.mark.parametrize(
    "state",
    [
        LiveState("2.60.0", (), (), {}),
        live("you", {"provenance": RECORD.plain}),
        live("me", None),
        live("me", {}),
        live("me", {"provenance": "text"}),
    ],
)
def test_without_one_of_ours_there_is_none(state: LiveState) -> None:
    assert last_apply(state, "me") is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "commit cccccccccccc"),
        ({"dirty": True}, "commit cccccccccccc with uncommitted changes"),
        ({"commit": None, "dirty": True}, "a registry outside git"),
        ({"is_rollback": True}, "commit cccccccccccc, going back to it"),
    ],
)
def test_the_commit_in_words(changes: dict[str, Any], expected: str) -> None:
    text = last_apply_text(replace(RECORD, **changes))
    assert text == f"last applied 2026-01-02T03:04:05+00:00 by octocat from {expected}"

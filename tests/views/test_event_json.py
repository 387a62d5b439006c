import json
from typing import Any, get_args

import jsonschema
import pytest

from reconciler.apply.events import (
    DocumentSent,
    Event,
    Finished,
    LeaseAwaited,
    LeaseReleased,
    LeaseTaken,
    Phase,
    Progress,
    RollbackStarted,
    SmokeAnswered,
    WaveStarted,
)
from reconciler.apply.outcome import Outcome, Result
from reconciler.apply.schema import event_bodies, event_schema, outcome_schema
from reconciler.views.event_json import ended_json, event_json, planned_again_json, started_json
from reconciler.views.outcome_json import outcome_json
from tests.support import samples

FAILED = Outcome("a", Result.ROLLED_BACK, "gone", ("r1",), ("r2",), 3.25, "no GPU", ("line",))
SAMPLES: tuple[Event, ...] = (
    WaveStarted(1, 2, ("a", "b")),
    DocumentSent(4, "wave 1 of 2"),
    Progress("a", Phase.WAITING, "loading", 0, 2, 7.4567),
    SmokeAnswered("a", "a completion", "hello", 0.25),
    RollbackStarted("a", "no GPU"),
    Finished(FAILED),
    LeaseAwaited("them from https://ci.example/7", "2026-01-02T03:04:05+00:00", "", 5.25),
    LeaseTaken(7, 0.0),
    LeaseReleased(True, 180.0),
)
ENVELOPE = {
    "format_version": "1.0",
    "time": "2026-01-02T03:04:05.678+00:00",
    "run": "0" * 32,
    "sequence": 1,
}


def validate(body: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(event_schema())
    validator.validate({**ENVELOPE, **body})
    # Each kind is checked against a form of its own: an empty one would not do.
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**ENVELOPE, "event": body["event"]})


def test_there_is_a_sample_of_every_event() -> None:
    assert {type(event) for event in SAMPLES} == set(get_args(Event))


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_every_event_has_a_published_form(event: Event) -> None:
    validate(event_json(event))


def test_every_published_form_is_written() -> None:
    lines = [event_json(event) for event in SAMPLES]
    lines += [
        started_json(samples.mixed_plan(), ()),
        planned_again_json(samples.plan(), ()),
        ended_json("done", (), 1, None),
    ]
    assert {line["event"] for line in lines} == event_bodies().keys()


def test_the_first_line_says_what_will_be_done() -> None:
    line = started_json(samples.mixed_plan(), ("slow",))
    validate(line)
    assert line["plan"]["waves"] == [["acme--old", "local--tiny-chat-a", "gateway"], ["local--tiny-chat-b"]]
    assert (line["plan"]["held"], line["plan"]["waited_for"]) == (["acme--kept"], ["slow"])
    assert len(line["plan"]["digest"]) == 64
    validate(planned_again_json(samples.first_plan(), ()))


def test_the_last_line_says_what_became_of_it() -> None:
    line = ended_json("stopped", (FAILED,), 61.23456, "the cluster cannot be read")
    validate(line)
    assert line["seconds"] == 61.235
    assert line["outcomes"][0]["log_excerpt"] == ["line"]


def test_an_unknown_kind_of_event_fits_the_envelope() -> None:
    jsonschema.Draft202012Validator(event_schema()).validate({**ENVELOPE, "event": "something-new", "x": 1})


def test_outcomes_fit_their_schema() -> None:
    document = json.loads(outcome_json([FAILED, Outcome("b", Result.APPLIED, "")], "local"))
    jsonschema.Draft202012Validator(outcome_schema()).validate(document)
    del document["outcomes"][0]["cause"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(outcome_schema()).validate(document)

"""`apply --events`: the lines of a whole run."""

import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.apply.schema import event_schema
from reconciler.cli import carry_out
from tests.support.cli import Ran, edited, run
from tests.support.fake_serve import FakeServe

EVENTS = Path("events.jsonl")


def lines(text: str | None = None) -> list[dict[str, Any]]:
    """The lines, each as it is published and in its place."""
    found = [json.loads(line) for line in (EVENTS.read_text() if text is None else text).splitlines()]
    validator = jsonschema.Draft202012Validator(event_schema())
    for number, line in enumerate(found, start=1):
        validator.validate(line)
        assert line["sequence"] == number
    assert len({line["run"] for line in found}) == 1
    return found


def kinds(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["event"] for line in found]


def apply(serve: FakeServe, *more: str | Path) -> Ran:
    return run("apply", "--auto-approve", *more, serve=serve)


def test_a_run_from_its_plan_to_its_outcomes(registry: Path, serve: FakeServe) -> None:
    planned = json.loads(run("plan", "--format", "json", serve=serve).out)
    ran = apply(serve, "--events", EVENTS)
    assert ran.code == 0
    assert ran.out.endswith("Apply: 3 applied\n")
    first, leased, second, third, *rest, released, last = lines()
    assert kinds([first, second, third, last]) == ["started", "wave-started", "document-sent", "ended"]
    assert (kinds([leased, released]), leased["number"]) == (["lease-taken", "lease-released"], 1)
    assert first["plan"]["digest"] == planned["digest"]
    assert first["plan"]["waves"] == [["gateway", "acme--chat", "acme--other"]]
    assert set(kinds(rest)) == {"progress", "smoke-answered", "finished"}
    assert last["result"] == "done"
    assert [outcome["result"] for outcome in last["outcomes"]] == ["applied"] * 3
    finished = [line["outcome"] for line in rest if line["event"] == "finished"]
    assert sorted(map(str, finished)) == sorted(map(str, last["outcomes"]))


def test_nothing_to_do_has_a_beginning_and_an_end(registry: Path, serve: FakeServe) -> None:
    apply(serve)
    apply(serve, "--events", EVENTS)
    first, last = lines()
    assert (first["plan"]["waves"], last["result"], last["outcomes"]) == ([], "done", [])


def test_a_failure_and_what_is_held(registry: Path, serve: FakeServe) -> None:
    apply(serve)
    serve.fails = lambda config: "CUDA out of memory" if "chat" in config["name"] else None
    other = registry / "acme--other.yaml"
    other.write_text(other.read_text() + "rollout:\n  protect: true\n")
    apply(serve)
    other.write_text(other.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8"))
    with edited(registry / "acme--chat.yaml", "max_num_seqs: 4", "max_num_seqs: 8"):
        assert apply(serve, "--events", EVENTS, "--allow-mass-change").code == 1
    found = lines()
    assert found[0]["plan"]["held"] == ["acme--other"]
    [back] = [line for line in found if line["event"] == "rollback-started"]
    assert back["application"] == "acme--chat"
    assert (found[-1]["result"], found[-1]["outcomes"][0]["result"]) == ("failed", "failed and rolled back")


def test_an_interruption(registry: Path, serve: FakeServe) -> None:
    serve.after_put = lambda document: signal.raise_signal(signal.SIGTERM)
    assert apply(serve, "--events", EVENTS).code == 130
    assert lines()[-1]["result"] == "interrupted"


def test_an_apply_that_cannot_go_on(registry: Path, serve: FakeServe) -> None:
    reads = iter(range(100))

    def intrude() -> None:
        if next(reads) == 1:
            serve.intrude({"applications": []})

    serve.before_read = intrude
    assert apply(serve, "--events", EVENTS).code == 1
    last = lines()[-1]
    assert last["result"] == "stopped"
    assert "vanished: `neighbour`" in last["error"]


def test_an_unexpected_error_is_the_end_as_well(
    registry: Path, serve: FakeServe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("Bearer abcdefghijklmnop was refused")

    monkeypatch.setattr(carry_out, "apply_plan", fail)
    assert apply(serve, "--events", EVENTS).code == 1
    assert lines()[-1]["error"] == "Bearer (hidden) was refused"


def test_on_stdout_are_nothing_but_events(registry: Path, serve: FakeServe) -> None:
    ran = apply(serve, "--events", "-")
    assert kinds(lines(ran.out))[-1] == "ended"
    assert "Plan: 3 to create" in ran.err
    assert ran.err.endswith("Apply: 3 applied\n")


def test_two_things_do_not_fit_on_stdout(registry: Path, serve: FakeServe) -> None:
    ran = apply(serve, "--events", "-", "--format", "json")
    assert (ran.code, ran.out, serve.puts) == (64, "", [])
    assert apply(serve, "--events", EVENTS, "--format", "json").code == 0
    assert json.loads(run("apply", "--auto-approve", "--format", "json", serve=serve).out)["failed"] is False


def test_a_file_that_cannot_take_events_is_said_before_anything_is_done(registry: Path, serve: FakeServe) -> None:
    EVENTS.write_text("mine\n")
    ran = apply(serve, "--events", EVENTS)
    assert (ran.code, ran.out, serve.puts) == (1, "", [])
    assert "holds something else than events" in ran.err


def test_a_full_disk_does_not_end_an_apply(registry: Path, serve: FakeServe) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    ran = apply(serve, "--events", "/dev/full")
    assert ran.code == 0
    assert ran.err.count("warning: an event could not be written (No space left on device); apply goes on") == 1


def test_no_value_of_a_variable_is_in_it(registry: Path, serve: FakeServe) -> None:
    with edited(
        registry / "acme--chat.yaml", "engine_config:\n", "engine_config:\n  runtime_env: {env_vars: {LEVEL: l0ud}}\n"
    ):
        assert apply(serve, "--events", EVENTS).code == 0
    assert "l0ud" not in EVENTS.read_text()
    assert lines()[-1]["result"] == "done"


def test_an_answer_of_no_at_the_terminal_begins_nothing(registry: Path, serve: FakeServe) -> None:
    assert run("apply", "--events", EVENTS, serve=serve, terminal=True, answer="n\n").code == 1
    assert EVENTS.read_text() == ""

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from reconciler.serve.errors import Unreachable
from reconciler.state.work import ReplicaWork, UnknownWork, Work
from tests.support.cli import run, write_registry
from tests.support.fake_serve import FakeServe
from tests.support.golden import assert_golden
from tests.support.screen import shown

SAID = Work(
    {
        "acme--chat": (ReplicaWork("replica002", 33, 2, 0.5, 90.0),),
        "acme--other": (ReplicaWork("replica003", 5, 0, 631.7, 900.0),),
    }
)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServe:
    monkeypatch.chdir(tmp_path)
    write_registry(tmp_path / "registry", "chat", "other")
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    serve.intrude({"applications": [{"name": "neighbour", "route_prefix": "/n", "import_path": "n:build"}]})
    assert run("apply", "--auto-approve", serve=serve).code == 0
    return serve


def looks(serve: FakeServe, *then: Callable[[], None]) -> None:
    """What happens before the second look, the third, and so on; then somebody presses Ctrl-C."""
    left = [lambda: None, *then]

    def next_look() -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    serve.before_read = next_look


def unreachable() -> None:
    raise Unreachable("the dashboard does not answer")


def test_everything_that_runs(serve: FakeServe) -> None:
    ran = run("status", serve=serve, said=SAID)
    assert (ran.code, ran.err) == (0, "")
    assert_golden("cli/status/all.txt", re.sub("last applied .* from", "last applied TIME by WHO from", ran.out))


def test_one_model(serve: FakeServe) -> None:
    ran = run("status", "acme/chat", serve=serve, said=SAID)
    assert "acme--chat  RUNNING\n    model acme/chat, registry/acme--chat.yaml:1:1" in ran.out
    assert "1 busy, 0 idle; 2 of 64 in flight; 33 requests" in ran.out
    assert "acme--other" not in ran.out


def test_a_model_that_is_not_there_yet_and_one_that_nobody_knows(serve: FakeServe, tmp_path: Path) -> None:
    write_registry(tmp_path / "registry", "new")
    assert "acme--new  not there" in run("status", "acme/new", serve=serve).out
    ran = run("status", "acme/chta", serve=serve)
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean `acme--chat`?" in ran.err


def test_json_is_the_published_form(serve: FakeServe) -> None:
    document = json.loads(run("status", "--format", "json", serve=serve, said=SAID).out)
    jsonschema.validate(document, json.loads(run("schema", "status").out))
    assert [(entry["name"], entry["ours"], entry["model_id"]) for entry in document["applications"]] == [
        ("gateway", True, None),
        ("acme--chat", True, "acme/chat"),
        ("acme--other", True, "acme/other"),
        ("neighbour", False, None),
    ]
    assert document["last_apply"]["version"] == "0.1.0"
    assert document["applications"][1]["load"] == {
        "ongoing": 2,
        "requests": 33,
        "idle_s": 0,
        "idle_for_longer": False,
        "busy_replicas": 1,
        "idle_replicas": 0,
    }


def test_what_the_gateway_cannot_tell_is_null(serve: FakeServe) -> None:
    document = json.loads(run("status", "--format", "json", serve=serve, said=UnknownWork("it is old")).out)
    assert document["untold"] == "it is old"
    assert [entry["load"] for entry in document["applications"]] == [None] * 4


def test_watching_says_each_change_on_a_line(serve: FakeServe) -> None:
    looks(
        serve,
        lambda: None,
        lambda: serve.sicken("acme--chat", "health checks fail"),
        unreachable,
        unreachable,
        lambda: None,
    )
    ran = run("status", "--watch", "--interval", "30", serve=serve, said=SAID)
    assert ran.code == 130
    assert ran.err == "the dashboard does not answer\nthe cluster answers again\n\ninterrupted\n"
    lines = [line.partition(" UTC  ")[2] for line in ran.out.splitlines()]
    assert lines[:4] == [
        "gateway: RUNNING; 1 of 1 replica run",
        "acme--chat: RUNNING; 1 of 1 replica run; 33 requests, 2 in flight",
        "acme--other: RUNNING; 1 of 1 replica run; 5 requests, 0 in flight",
        "neighbour: RUNNING; 1 of 1 replica run",
    ]
    assert [line for line in lines[4:] if line.startswith("acme--chat: UNHEALTHY, was RUNNING")]


def test_watching_for_programs_is_a_document_for_each_look(serve: FakeServe) -> None:
    looks(serve, lambda: None, unreachable, lambda: None)
    ran = run("status", "acme/chat", "--watch", "--format", "json", serve=serve, said=SAID)
    assert ran.code == 130
    documents = [json.loads(line) for line in ran.out.splitlines()]
    assert [[entry["name"] for entry in document["applications"]] for document in documents] == [["acme--chat"]] * 3


def test_watching_on_a_terminal_draws_the_page_again(serve: FakeServe) -> None:
    looks(serve, lambda: None, unreachable)
    variables = {"TERM": "xterm"}
    ran = run("status", "--watch", serve=serve, said=SAID, terminal=True, variables=variables)
    assert ran.code == 130
    screen = shown(ran.out)
    assert [line for line in screen if line.startswith(("no newer look", "cluster"))] == [
        "no newer look: the dashboard does not answer",
        "cluster test, Ray 2.60.0, 4 applications: 4 RUNNING",
    ]
    assert ran.out.rindex("\033[?25h") > ran.out.rindex("\033[?25l")
    looks(serve, lambda: None)
    ran = run("status", "acme/chat", "--watch", serve=serve, said=SAID, terminal=True, variables=variables)
    assert [line for line in shown(ran.out) if "requests" in line and "busy" in line] == [
        "1 busy, 0 idle; 2 of 64 in flight; 33 requests"
    ]


def test_an_interval_is_between_looks(serve: FakeServe) -> None:
    ran = run("status", "--interval", "3", serve=serve)
    assert ran.code == 64
    assert "add `--watch`" in ran.err


def test_a_first_look_that_fails_is_a_failure(serve: FakeServe) -> None:
    serve.before_read = unreachable
    assert run("status", "--watch", serve=serve).code == 1

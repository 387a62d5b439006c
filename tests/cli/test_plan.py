import json
from pathlib import Path

import pytest

from tests.support.cli import ADDRESS, NEIGHBOUR, edited, run
from tests.support.fake_serve import FakeServe
from tests.support.golden import assert_golden


def test_the_first_plan_in_every_word(registry: Path, serve: FakeServe) -> None:
    ran = run("plan", serve=serve)
    assert (ran.code, ran.err) == (0, "")
    assert_golden("cli/plan/first.txt", ran.out)


def test_planning_changes_nothing(registry: Path, serve: FakeServe) -> None:
    run("plan", serve=serve)
    assert serve.puts == []
    assert serve.packages == {}


def test_exit_code_2_only_when_asked_for(registry: Path, serve: FakeServe) -> None:
    assert run("plan", serve=serve).code == 0
    assert run("plan", "--detailed-exitcode", serve=serve).code == 2


def test_json_is_the_published_form(registry: Path, serve: FakeServe) -> None:
    import jsonschema

    document = json.loads(run("plan", "--format", "json", serve=serve).out)
    jsonschema.validate(document, json.loads(run("schema", "plan").out))
    assert document["address"] == ADDRESS
    assert document["unmanaged"] == ["neighbour"]


def test_markdown_is_for_a_pull_request(registry: Path, serve: FakeServe) -> None:
    assert run("plan", "--format", "markdown", serve=serve).out.startswith("### Plan: 3 to create\n")


def test_a_saved_plan_shows_as_it_was_shown(registry: Path, serve: FakeServe) -> None:
    ran = run("plan", "--out", "plan.json", serve=serve)
    assert "`reconcile apply plan.json`" in ran.err
    shown = run("show", "plan.json")
    assert shown.out == ran.out
    assert "may be applied until" in shown.err
    assert run("show", "plan.json", "--format", "markdown").out == run("plan", "--format", "markdown", serve=serve).out
    assert json.loads(run("show", "plan.json", "--format", "json").out)["cluster"] == "test"


def test_what_is_no_plan_file_is_said_to_be_none(registry: Path) -> None:
    Path("text.json").write_text("{}")
    Path("binary.json").write_bytes(b"\xff\xfe\x00")
    for name in ("text.json", "binary.json", "missing.json"):
        ran = run("show", name)
        assert ran.code == 1
        assert ran.out == ""
        assert "unexpected" not in ran.err


def test_a_broken_registry_is_not_planned(registry: Path, serve: FakeServe) -> None:
    with edited(registry / "acme--chat.yaml", "max_replicas", "max_replica"):
        ran = run("plan", serve=serve)
    assert (ran.code, ran.out) == (1, "")
    assert "registry/acme--chat.yaml:8:5: error[" in ran.err
    assert ran.err.endswith("1 error\n")


@pytest.mark.parametrize(
    ("name", "hint"), [("tset", "did you mean `test`?"), ("production", "the clusters are `test`")]
)
def test_an_unknown_cluster_is_answered_with_the_known_ones(
    registry: Path, serve: FakeServe, name: str, hint: str
) -> None:
    ran = run("plan", "--cluster", name, serve=serve)
    assert ran.code == 1
    assert ran.err == f"error: no cluster `{name}` in the registry\n\nhint: {hint}\n"


def test_without_a_default_cluster_one_has_to_be_named(registry: Path, serve: FakeServe) -> None:
    text = (registry / "clusters" / "test.yaml").read_text().replace("default: true", "default: false")
    for name in ("test", "spare"):
        (registry / "clusters" / f"{name}.yaml").write_text(text.replace("owner: test", f"owner: {name}"))
    for file in registry.glob("acme--*.yaml"):
        file.write_text(file.read_text() + "clusters: [test]\n")
    ran = run("plan", serve=serve)
    assert ran.code == 1
    assert "name one with `--cluster`: `spare`, `test`" in ran.err
    assert run("plan", "--cluster", "test", serve=serve).code == 0


@pytest.mark.parametrize("fault", ["redacted", "lost"])
@pytest.mark.parametrize("command", ["plan", "drift", "status"])
def test_nothing_is_concluded_from_an_answer_that_cannot_be_believed(
    registry: Path, serve: FakeServe, fault: str, command: str
) -> None:
    serve.intrude({"applications": [{**NEIGHBOUR, "runtime_env": {"env_vars": {"A": "b"}}}]})
    serve.settle()
    setattr(serve, fault, True)
    ran = run(command, serve=serve)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ")
    assert "hint: " in ran.err


def test_colour_is_for_terminals_that_want_it(registry: Path, serve: FakeServe) -> None:
    assert "\033[" not in run("plan", serve=serve).out
    assert "\033[" in run("plan", serve=serve, terminal=True, variables={"TERM": "xterm"}).out
    assert "\033[" not in run("plan", serve=serve, terminal=True, variables={"TERM": "xterm", "NO_COLOR": "1"}).out
    assert "\033[" not in run("plan", serve=serve, terminal=True, variables={"TERM": "dumb"}).out

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from reconciler.state.traffic import ModelTraffic, Traffic, UnknownTraffic
from tests.support.cli import ADDRESS, NEIGHBOUR, edited, run, write_registry
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
    shown = run("plan", "show", "plan.json")
    assert shown.out == ran.out
    assert "may be applied until" in shown.err
    assert (
        run("plan", "show", "plan.json", "--format", "markdown").out
        == run("plan", "--format", "markdown", serve=serve).out
    )
    assert json.loads(run("plan", "show", "plan.json", "--format", "json").out)["cluster"] == "test"


def test_what_is_no_plan_file_is_said_to_be_none(registry: Path) -> None:
    Path("text.json").write_text("{}")
    Path("binary.json").write_bytes(b"\xff\xfe\x00")
    for name in ("text.json", "binary.json", "missing.json"):
        ran = run("plan", "show", name)
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


def test_only_the_named_models_are_planned(registry: Path, serve: FakeServe) -> None:
    ran = run("plan", "--model", "acme/chat", serve=serve)
    assert "only acme/chat; left out, and different from the registry: acme--other\n" in ran.out
    assert ran.out.endswith("Plan: 2 to create\n")
    assert run("plan", "--model", "acme/chat", "--format", "markdown", serve=serve).out.count("acme--other") == 1
    document = json.loads(run("plan", "--model", "acme/chat", "--format", "json", serve=serve).out)
    assert document["options"]["models"] == ["acme/chat"]


def test_an_unknown_model_is_answered_with_the_nearest(registry: Path, serve: FakeServe) -> None:
    for command in ("plan", "apply"):
        ran = run(command, "--model", "acme/caht", *(["--auto-approve"] if command == "apply" else []), serve=serve)
        assert ran.code == 1
        assert ran.err.startswith("error: no model `acme/caht` in the registry or on the cluster\n")
        assert "did you mean `acme/chat`?" in ran.err
    assert serve.puts == []


def test_a_plan_file_is_for_its_owner_alone_and_replaces_a_plan_only(registry: Path, serve: FakeServe) -> None:
    assert run("plan", "--out", "plan.json", serve=serve).code == 0
    assert stat.S_IMODE(Path("plan.json").stat().st_mode) == 0o600
    before = Path("plan.json").read_text()
    assert run("plan", "--model", "acme/chat", "--out", "plan.json", serve=serve).code == 0
    assert Path("plan.json").read_text() != before
    assert list(Path().glob(".plan.json*")) == []


def test_an_empty_file_and_a_link_take_a_plan(registry: Path, serve: FakeServe) -> None:
    Path("empty.json").touch()
    Path("link.json").symlink_to("empty.json")
    assert run("plan", "--out", "link.json", serve=serve).code == 0
    assert Path("link.json").is_symlink()
    assert json.loads(Path("empty.json").read_text())["cluster"] == "test"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("notes.txt", "`notes.txt` is there and is not a plan file"),
        ("list.json", "`list.json` is there and is not a plan file"),
        ("registry", "`registry` is a folder"),
        ("nowhere/plan.json", "the folder of `nowhere/plan.json` is not there"),
        ("/dev/null", "`/dev/null` is no plain file"),
        ("-", "a plan is saved in a file, not on stdout"),
    ],
)
def test_a_plan_is_not_saved_over_something_else(registry: Path, target: str, message: str) -> None:
    Path("notes.txt").write_bytes(b"\xff mine")
    Path("list.json").write_text("[]")
    # Nothing is asked of the cluster before that is clear.
    ran = run("plan", "--out", target)
    assert (ran.code, ran.out) == (1, "")
    assert message in ran.err
    assert "hint: " in ran.err
    assert Path("notes.txt").read_bytes() == b"\xff mine"


def test_what_cannot_be_written_leaves_nothing_behind(
    registry: Path, serve: FakeServe, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("plan", "--out", "plan.json", serve=serve)
    before = Path("plan.json").read_text()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ran = run("plan", "--model", "acme/chat", "--out", "plan.json", serve=serve)
    assert ran.code == 1
    assert ran.err == "error: `plan.json` cannot be written: No space left on device\n"
    assert Path("plan.json").read_text() == before
    assert list(Path().glob(".plan.json*")) == []


def test_a_model_that_is_still_asked_is_not_deleted(registry: Path, serve: FakeServe) -> None:
    write_registry(registry, "chat", "other", "third", "fourth")
    assert run("apply", "--auto-approve", serve=serve).code == 0
    (registry / "acme--other.yaml").unlink()
    busy = Traffic(7200.0, {"acme/other": ModelTraffic(40, 3.0)})
    ran = run("plan", serve=serve, usage=busy)
    assert "! held: delete acme--other" in ran.out
    assert "still gets requests: 40 in the 2 h that the gateway has counted, the latest 3 s ago" in ran.out
    assert "--allow-delete" in ran.out
    ran = run("plan", serve=serve, usage=UnknownTraffic("the gateway is away"))
    assert "- delete acme--other" in ran.out
    assert "whether `acme/other` still get requests is not known: the gateway is away" in ran.out
    assert run("plan", "--allow-delete", "--out", "plan.json", serve=serve, usage=busy).code == 0
    assert run("apply", "plan.json", serve=serve, usage=busy).code == 0
    # What was planned while nobody asked is not done when somebody does.
    (registry / "acme--third.yaml").unlink()
    assert run("plan", "--out", "plan.json", serve=serve).code == 0
    ran = run("apply", "plan.json", serve=serve, usage=Traffic(7200.0, {"acme/third": ModelTraffic(1, 3.0)}))
    assert ran.code == 1
    assert "it would say delete (held by still-in-use) now" in ran.err


def test_an_explanation_in_every_word(registry: Path, serve: FakeServe) -> None:
    run("apply", "--auto-approve", serve=serve)
    chat = registry / "acme--chat.yaml"
    chat.write_text(
        chat.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8").replace("max_replicas: 1", "max_replicas: 3")
    )
    for name, case in (("acme/chat", "changed"), ("acme--other", "unchanged")):
        ran = run("plan", "explain", name, serve=serve)
        assert (ran.code, ran.err) == (0, "")
        assert_golden(f"cli/plan/explain-{case}.txt", ran.out)
    document = json.loads(run("plan", "explain", "acme/chat", "--format", "json", serve=serve).out)
    assert document["code_version"]["differs_in"] == ["args"]
    assert document["fields"][0]["rule"].endswith("get_app_code_version")


def test_one_model_is_explained_at_a_time(registry: Path, serve: FakeServe) -> None:
    ran = run("plan", "explain", "acme/*", serve=serve)
    assert (ran.code, ran.out) == (64, "")
    assert "one at a time: acme--chat, acme--other" in ran.err
    assert "did you mean `acme/chat`?" in run("plan", "explain", "acme/chatt", serve=serve).err
    assert run("plan", "explain").code == 64

import json
from pathlib import Path

import jsonschema
import pytest

from tests.support.cli import run
from tests.support.fake_serve import FakeServe
from tests.support.golden import assert_golden
from tests.support.repository import commit


@pytest.fixture
def moved(registry: Path) -> FakeServe:
    """A cluster on which somebody changed one application and deleted another, after an apply."""
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    assert run("apply", "--auto-approve", serve=serve).code == 0
    configs = {config["name"]: config for config in serve.puts[-1]["applications"]}
    del configs["acme--other"]
    configs["acme--chat"]["deployments"][0]["max_ongoing_requests"] = 3
    serve.intrude({"applications": list(configs.values())})
    serve.settle()
    return serve


def test_both_movements_are_named_field_by_field(moved: FakeServe) -> None:
    ran = run("drift", serve=moved)
    assert (ran.code, ran.err) == (0, "")
    assert_golden("cli/drift/moved.txt", ran.out)


def test_exit_code_2_only_when_asked_for_and_only_with_drift(moved: FakeServe) -> None:
    assert run("drift", "--detailed-exitcode", serve=moved).code == 2
    assert run("apply", "--auto-approve", serve=moved).code == 0
    ran = run("drift", "--detailed-exitcode", serve=moved)
    assert ran.code == 0
    assert "No drift" in ran.out


def test_json_is_the_published_form(moved: FakeServe) -> None:
    document = json.loads(run("drift", "--format", "json", serve=moved).out)
    jsonschema.validate(document, json.loads(run("schema", "drift").out))
    assert [finding["kind"] for finding in document["findings"]] == ["config", "missing"]


def test_markdown_is_for_an_issue(moved: FakeServe) -> None:
    assert run("drift", "--format", "markdown", serve=moved).out.startswith("### Drift: 1 config, 1 missing\n")


def test_earlier_reports_are_the_history_of_the_page(moved: FakeServe, tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    report.write_text(run("drift", "--format", "json", serve=moved).out, encoding="utf-8")
    page = run("drift", "--format", "html", "--earlier", str(report), serve=moved).out
    assert page.startswith("<!doctype html>")
    assert page.count('<rect class="column bad"') == 2
    report.write_text("[]", encoding="utf-8")
    ran = run("drift", "--format", "html", "--earlier", str(report), serve=moved)
    assert ran.code == 1
    assert "no drift report" in ran.err
    assert run("drift", "--earlier", str(report), serve=moved).code == 64


@pytest.mark.parametrize("output", ["sarif", "junit", "prometheus"])
def test_drift_is_told_in_the_formats_of_other_tools(moved: FakeServe, output: str) -> None:
    ran = run("drift", "--format", output, serve=moved)
    assert (ran.code, ran.err) == (0, "")
    assert "acme--chat" in ran.out


def test_what_the_cluster_file_ignores_is_no_drift(moved: FakeServe, registry: Path) -> None:
    file = registry / "clusters" / "test.yaml"
    text = file.read_text(encoding="utf-8")
    rule = "drift:\n  ignore:\n    - {application: 'acme--*', reason: an experiment, expires: '2099-01-01'}\n"
    file.write_text(text + rule, encoding="utf-8")
    ran = run("drift", "--detailed-exitcode", serve=moved)
    assert ran.code == 0
    assert "an experiment" in ran.out
    file.write_text(text + rule.replace("2099", "2020"), encoding="utf-8")
    ran = run("drift", "--detailed-exitcode", serve=moved)
    assert ran.code == 2
    assert "test.yaml:" in ran.err
    assert "expired on 2020-01-01" in ran.err


def test_git_tells_what_was_merged_from_what_was_changed(repository: str, registry: Path) -> None:
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    assert run("apply", "--auto-approve", serve=serve).code == 0
    configs = {config["name"]: config for config in serve.puts[-1]["applications"]}
    configs["acme--chat"]["deployments"][0]["max_ongoing_requests"] = 3
    serve.intrude({"applications": list(configs.values())})
    serve.settle()
    other = registry / "acme--other.yaml"
    other.write_text(other.read_text().replace("max_replicas: 1", "max_replicas: 2"))
    second = commit(".", "Let it grow")
    document = json.loads(run("drift", "--format", "json", serve=serve).out)
    assert (document["applied"]["commit"], document["registry_commit"]) == (repository, second)
    assert {finding["application"]: finding["origin"] for finding in document["findings"]} == {
        "acme--chat": "changed on the cluster",
        "acme--other": "merged, not applied yet",
    }
    assert run("drift", "--accept", serve=serve).code == 0
    assert "max_ongoing_requests: 3" in (registry / "acme--chat.yaml").read_text()
    assert "max_replicas: 2" in other.read_text()


def test_a_saved_report_is_shown_without_the_cluster(moved: FakeServe, tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    for output in ("json", "markdown", "sarif", "junit", "prometheus", "html", "text"):
        report.write_text(run("drift", "--format", "json", serve=moved).out, encoding="utf-8")
        ran = run("drift", "--report", report, "--format", output, "--detailed-exitcode")
        assert (ran.code, ran.err) == (2, "")
        assert "acme--chat" in ran.out
    assert run("drift", "--report", report, "--accept").code == 64


def test_git_is_not_asked_where_nothing_that_was_submitted_differs(
    repository: str, registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    assert run("apply", "--auto-approve", serve=serve).code == 0
    serve.sicken("acme--chat", "out of memory")
    serve.settle()
    monkeypatch.setattr("reconciler.cli.drift.applied_states", None)
    document = json.loads(run("drift", "--format", "json", serve=serve).out)
    assert [finding["kind"] for finding in document["findings"]] == ["health"]
    assert document["applied"]["commit"] == repository
    assert document["applied"]["time"] is not None

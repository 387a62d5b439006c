import json
from pathlib import Path

import jsonschema
import pytest

from tests.support.cli import run
from tests.support.fake_serve import FakeServe
from tests.support.golden import assert_golden


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

"""SARIF, checked against the schema that Microsoft publishes with its validator."""

import json
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.rules import RULES
from reconciler.registry.waivers import Waived
from reconciler.views.diagnostics_sarif import diagnostics_sarif
from tests.support.published import sarif_schema

UNKNOWN = Diagnostic(Position("registry/a.yaml", 3, 5), "unknown-key", "the key `x` is not known", "remove it")
NOWHERE = Diagnostic(Position("registry/a.yaml", 4, 1), "served-nowhere", "no cluster", None, Severity.WARNING)
POLICY = Diagnostic(Position("registry/b.yaml", 1, 1), "policy/limits", "too many")


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(sarif_schema(), format_checker=FormatChecker())


def run_of(*diagnostics: Diagnostic, waived: tuple[Waived, ...] = ()) -> Any:
    """The only run of a log that is as the schema wants it."""
    document = json.loads(diagnostics_sarif(diagnostics, waived, RULES, lambda file: file))
    assert [error.message for error in validator().iter_errors(document)] == []
    [run] = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        each["ruleId"] for each in run["results"]
    ]
    bases = {
        place["physicalLocation"]["artifactLocation"].get("uriBaseId")
        for each in run["results"]
        for place in each["locations"]
    }
    assert bases <= {*run["originalUriBaseIds"], None}
    return run


def test_a_result_says_where_and_what() -> None:
    [result] = run_of(UNKNOWN)["results"]
    assert result["message"]["text"] == "the key `x` is not known\nhint: remove it"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "registry/a.yaml", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 3, "startColumn": 5}


def test_a_rule_comes_with_its_text_and_where_it_is_documented() -> None:
    rules = {rule["id"]: rule for rule in run_of(UNKNOWN, NOWHERE, POLICY)["tool"]["driver"]["rules"]}
    assert sorted(rules) == ["policy/limits", "served-nowhere", "unknown-key"]
    nowhere = rules["served-nowhere"]
    assert nowhere["defaultConfiguration"]["level"] == "warning"
    assert nowhere["fullDescription"]["text"] == RULES["served-nowhere"].text
    assert "reconcile validate --rules" in nowhere["help"]["markdown"]


def fingerprints(*diagnostics: Diagnostic) -> list[str]:
    return [each["partialFingerprints"]["reconcilerRuleFileMessage/v1"] for each in run_of(*diagnostics)["results"]]


def test_a_fingerprint_outlives_edits_above_its_line() -> None:
    moved = Diagnostic(Position("registry/a.yaml", 30, 5), UNKNOWN.rule, UNKNOWN.message, "another hint")
    assert fingerprints(UNKNOWN) == fingerprints(moved)
    assert len(set(fingerprints(UNKNOWN, moved, NOWHERE, POLICY))) == 4


def test_what_is_waived_is_suppressed_with_its_reason() -> None:
    [result] = run_of(waived=(Waived(NOWHERE, "for the next event"),))["results"]
    assert result["suppressions"] == [{"kind": "inSource", "justification": "for the next event"}]


def test_nothing_wrong_is_a_run_without_results() -> None:
    assert run_of()["results"] == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_can_be_told(rule: str) -> None:
    run_of(Diagnostic(Position("a.yaml"), rule, "something"))


def test_the_schema_refuses_what_is_none_of_its() -> None:
    document = json.loads(diagnostics_sarif((UNKNOWN,), (), RULES, lambda file: file))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert [error.json_path for error in validator().iter_errors(document)] == ["$.runs[0].results[0].level"]

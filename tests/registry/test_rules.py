"""The rules and their page. What each of them finds is shown by the folders in `tests/cases/registry`."""

import os
import re
from pathlib import Path

import pytest

from reconciler.registry import checks
from reconciler.registry.checks.check import rule_name
from reconciler.registry.checks.model_checks import MODEL_CHECKS
from reconciler.registry.checks.registry_checks import CLUSTER_CHECKS, MODELS_CHECKS, REGISTRY_CHECKS
from reconciler.registry.dialects.dialect_rules import DIALECT_RULES
from reconciler.registry.reading_rules import READING_RULES
from reconciler.registry.rules import RULES, rules_page
from tests.support.golden import CASES

EXPECTED = "".join(path.read_text(encoding="utf-8") for path in CASES.glob("registry/*/expected.txt"))
TOLD = set(re.findall(r": (error|warning) ([a-z-]+): ", EXPECTED))
CHECKS = {rule_name(check) for check in (*MODEL_CHECKS, *REGISTRY_CHECKS, *MODELS_CHECKS, *CLUSTER_CHECKS)}
NEED_A_CHECKPOINT = {"context-of-weights", "heads-divide-workers"}
"""Rules about files outside the registry; `test_weights.py` shows them."""
PACKAGE = Path(checks.__file__).parents[1]
NO_RULES = {"utf-8", "rev-parse", "any-case", "text-generation", "x-message", "x-severity"}


def test_the_page_is_the_table() -> None:
    page = Path(checks.__file__).with_name("RULES.md")
    if os.environ.get("RECONCILER_BLESS") == "1":
        page.write_text(rules_page(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == rules_page(), "RECONCILER_BLESS=1 writes it again"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_a_kebab_name_and_says_what_it_asks_for(rule: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", rule)
    assert RULES[rule].text.endswith(".")


@pytest.mark.parametrize("rule", sorted(CHECKS - NEED_A_CHECKPOINT))
def test_every_check_has_a_case_that_it_finds(rule: str) -> None:
    assert rule in {name for _, name in TOLD}


@pytest.mark.parametrize(("severity", "rule"), sorted(TOLD))
def test_a_rule_is_as_bad_as_the_table_says(severity: str, rule: str) -> None:
    assert severity in RULES[rule].severity.split(" or ")


def test_no_rule_is_missing_in_the_table() -> None:
    """Rules and choices of values are all that is written in kebab case."""
    written = {
        name
        for path in PACKAGE.rglob("*.py")
        if "imports" not in path.parts
        for name in re.findall(r'"([a-z]+(?:-[a-z]+)+)"', path.read_text(encoding="utf-8"))
    }
    assert written - NO_RULES <= set(RULES)


def test_no_rule_is_in_the_table_that_nothing_finds() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("rules.py", "reading_rules.py", "dialect_rules.py")
    )
    assert [rule for rule in (*READING_RULES, *DIALECT_RULES) if f'"{rule}"' not in source] == []


def test_what_may_be_waived_is_a_warning_or_uncertain() -> None:
    assert RULES["served-nowhere"].waivable
    assert RULES["fits-gpu-memory"].waivable
    assert not RULES["secret-in-clear"].waivable
    assert not RULES["unknown-key"].waivable

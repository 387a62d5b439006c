import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.registry import dialects
from reconciler.registry.dialects.dialect_rules import DIALECT_RULES
from reconciler.registry.rules import RULES

PROBLEMS = {"refuse": "error", "report": "error", "warn": "warning"}


def problems() -> Iterator[tuple[str, str]]:
    """Every rule that a format names in its source, and how bad it makes it."""
    for path in Path(dialects.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PROBLEMS:
                rule = node.args[1]
                if isinstance(rule, ast.Constant):
                    yield str(rule.value), PROBLEMS[node.func.attr]


@pytest.mark.parametrize(("rule", "severity"), sorted(set(problems())))
def test_a_rule_is_written_down_as_bad_as_it_is(rule: str, severity: str) -> None:
    assert severity in RULES[rule].severity.split(" or ")


def test_no_rule_is_written_down_that_no_format_has() -> None:
    assert set(DIALECT_RULES) <= {rule for rule, _ in problems()}

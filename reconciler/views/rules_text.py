"""Rules for people."""

import textwrap
from collections.abc import Iterable

from reconciler.registry.rules import Rule
from reconciler.views.style import PLAIN, Style

_WIDTH = 100


def rules_text(rules: Iterable[Rule], style: Style = PLAIN) -> str:
    """Every rule with its severity and its text, an empty line between them."""
    return "\n".join(_one(rule, style) for rule in rules)


def _one(rule: Rule, style: Style) -> str:
    waivable = "; may be waived" if rule.waivable else ""
    text = textwrap.fill(rule.text, _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return f"{style.bold(rule.name)} ({rule.severity}{waivable})\n{text}\n"

"""Every rule by name: how bad it is to break it, and what it asks for. `checks/RULES.md` is this table as a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.registry.checks.check import rule_name
from reconciler.registry.checks.model_checks import MODEL_CHECKS
from reconciler.registry.checks.registry_checks import CLUSTER_CHECKS, MODELS_CHECKS, REGISTRY_CHECKS
from reconciler.registry.dialects.dialect_rules import DIALECT_RULES
from reconciler.registry.reading_rules import READING_RULES
from reconciler.registry.waivers import WAIVABLE_ERRORS

_WARNINGS = frozenset(
    {
        "accelerator-types",
        "adapters-enabled",
        "adapters-of-the-engine",
        "delay-without-zero",
        "empty-registry",
        "engine-replaced",
        "expired-waiver",
        "few-full-sequences",
        "fits-node-types",
        "floating-revision",
        "idle-slots",
        "implied-autoscaling",
        "implied-requests",
        "initial-replicas-reset",
        "look-back-period",
        "mirror-store",
        "obsolete-key",
        "revision-of-nothing",
        "served-nowhere",
        "undeclared-accelerator",
        "unused-waiver",
    }
)
_EITHER = frozenset({"engine-argument-values"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    name: str
    severity: str
    """`error`, `warning`, or both where it depends on what was written."""
    text: str
    """One paragraph or a few."""

    @property
    def waivable(self) -> bool:
        """Whether a file may waive it."""
        return "warning" in self.severity or self.name in WAIVABLE_ERRORS


def _rules() -> Mapping[str, Rule]:
    checks: tuple[Callable[[Any], Any], ...] = (*MODEL_CHECKS, *REGISTRY_CHECKS, *MODELS_CHECKS, *CLUSTER_CHECKS)
    texts = {rule_name(check): check.__doc__ or "" for check in checks}
    texts |= {**READING_RULES, **DIALECT_RULES}
    return {name: Rule(name, _severity(name), " ".join(texts[name].split())) for name in sorted(texts)}


def _severity(name: str) -> str:
    if name in _EITHER:
        return "error or warning"
    return "warning" if name in _WARNINGS else "error"


RULES: Mapping[str, Rule] = _rules()
"""Every rule by its name. Policies add `policy/<name>`."""

_HEAD = """\
# Rules

What `reconcile validate` checks. The name of a rule stands in brackets behind `error` or `warning`. A model file may
waive a warning, a policy or a check of what cannot be known for certain, and says why:

```yaml
waive:
  - rule: served-nowhere
    reason: kept for the next event
    expires: "2030-12-31"  # the last day; may be left out
```
"""


def rules_page() -> str:
    """The rules in Markdown, each under a heading that can be linked to."""
    return _HEAD + "".join(_section(rule) for rule in RULES.values())


def _section(rule: Rule) -> str:
    waivable = "; may be waived" if rule.waivable else ""
    return f"\n## {rule.name}\n\n*{rule.severity}{waivable}*\n\n{rule.text}\n"

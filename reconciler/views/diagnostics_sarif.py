"""Diagnostics as SARIF 2.1.0 (OASIS), which code scanning services take."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler import __version__
from reconciler.diagnostics import Diagnostic
from reconciler.registry.rules import Rule
from reconciler.registry.waivers import Waived

_ROOT = "SRCROOT"
"""Stands for the top of the repository in every URI."""

_FINGERPRINT = "reconcilerRuleFileMessage/v1"


def diagnostics_sarif(
    diagnostics: Sequence[Diagnostic],
    waived: Sequence[Waived],
    rules: Mapping[str, Rule],
    uri: Callable[[str], str],
    more: str = "All rules: `reconcile validate --rules`.",
) -> str:
    """One run with its rules. Waived problems are results that are suppressed in the source. `uri` turns a path as
    shown into one relative to the repository; `more` is said of each rule after its text.
    """
    found = [(diagnostic, None) for diagnostic in diagnostics] + [(each.diagnostic, each.reason) for each in waived]
    names = sorted({diagnostic.rule for diagnostic, _ in found})
    index = {name: place for place, name in enumerate(names)}
    same: Counter[str] = Counter()
    results = []
    for diagnostic, reason in found:
        result = _result(diagnostic, index[diagnostic.rule], uri)
        # Lines move with every edit above them, so that they are no part of what makes a problem the same.
        key = _digest(diagnostic.rule, uri(diagnostic.position.file), diagnostic.message)
        same[key] += 1
        result["partialFingerprints"] = {_FINGERPRINT: f"{key}:{same[key]}"}
        if reason is not None:
            result["suppressions"] = [{"kind": "inSource", "justification": reason}]
        results.append(result)
    driver = {
        "name": "reconcile",
        "version": __version__,
        "rules": [_rule(name, rules.get(name), more) for name in names],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the repository."}}},
        "results": results,
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _result(diagnostic: Diagnostic, index: int, uri: Callable[[str], str]) -> dict[str, Any]:
    position = diagnostic.position
    where = uri(position.file)
    artifact = {"uri": where} if where.startswith("file:") else {"uri": where, "uriBaseId": _ROOT}
    text = diagnostic.message + (f"\nhint: {diagnostic.hint}" if diagnostic.hint else "")
    region = {"startLine": position.line, "startColumn": position.column}
    return {
        "ruleId": diagnostic.rule,
        "ruleIndex": index,
        "level": diagnostic.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }


def _rule(name: str, rule: Rule | None, more: str) -> dict[str, Any]:
    """A rule of the table, or a policy of the registry, whose text is in its results."""
    text = rule.text if rule else "A rule of the organisation, in the folder `policies` of the registry."
    level = "warning" if rule and rule.severity == "warning" else "error"
    explained = f"{text}\n\n{more}"
    return {
        "id": name,
        "shortDescription": {"text": text.partition(". ")[0].removesuffix(".") + "."},
        "fullDescription": {"text": text},
        "help": {"text": explained, "markdown": explained},
        "defaultConfiguration": {"level": level},
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

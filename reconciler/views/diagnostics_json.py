"""Diagnostics for programs."""

import json
from collections.abc import Sequence

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.waivers import Waived


def diagnostics_json(
    diagnostics: Sequence[Diagnostic], models: int | None, clusters: int | None, waived: Sequence[Waived] = ()
) -> str:
    """One JSON document: the diagnostics in order and their counts; `models` and `clusters` are null after errors."""
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    document = {
        "format_version": "1.0",
        "diagnostics": [diagnostic_json(diagnostic) for diagnostic in diagnostics],
        "errors": errors,
        "warnings": len(diagnostics) - errors,
        "waived": [{**diagnostic_json(each.diagnostic), "reason": each.reason} for each in waived],
        "models": models,
        "clusters": clusters,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, str | int | None]:
    """One diagnostic."""
    return {
        "file": diagnostic.position.file,
        "line": diagnostic.position.line,
        "column": diagnostic.position.column,
        "severity": diagnostic.severity.value,
        "rule": diagnostic.rule,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }

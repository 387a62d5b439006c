"""What a model file means, for programs."""

import json

from reconciler.registry.dialects.translation import dotted
from reconciler.registry.explanation import Explanation
from reconciler.views.diagnostics_json import diagnostic_json


def explain_json(explanation: Explanation) -> str:
    """One JSON document. `target` and `reason` are null where there is nothing to say."""
    document = {
        "format_version": "1.0",
        "file": explanation.file,
        "dialect": explanation.dialect,
        "keys": [
            {
                "key": dotted(fate.path),
                "line": fate.position.line,
                "column": fate.position.column,
                "fate": fate.fate.value,
                "target": fate.target,
                "reason": fate.reason,
            }
            for fate in explanation.fates
        ],
        "added": [{"target": added.target, "value": added.value} for added in explanation.added],
        "diagnostics": [diagnostic_json(diagnostic) for diagnostic in explanation.diagnostics],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

"""Reading the drift report that a person names."""

import json
from pathlib import Path

from reconciler.cli.failure import Failure
from reconciler.drift.report import DriftReport
from reconciler.views.saved_drift import saved_drift


def read_report(path: Path) -> DriftReport:
    """The saved report. Raises Failure when the file is none, and OSError."""
    try:
        return saved_drift(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError):
        hint = "give what `reconcile drift --format json` printed"
        raise Failure(f"`{path}` is no drift report", hint) from None

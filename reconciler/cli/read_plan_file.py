"""Reading the plan file that a person names, and whether it may be applied."""

from datetime import UTC, datetime
from pathlib import Path

from reconciler.cli.failure import Failure
from reconciler.plan.file import PlanFile, load, why_stale
from reconciler.plan.plan import Plan


def read_plan_file(path: Path) -> PlanFile:
    """The saved plan. Raises Failure, OSError or plan.file.PlanFileError when the file is none."""
    try:
        return load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise Failure(
            f"`{path}` is not a plan file: it is not text", "make one with `reconcile plan --out FILE`"
        ) from None


def refuse_stale(saved: PlanFile, plan: Plan) -> None:
    """Raise Failure when the saved plan, computed again, is not the same now."""
    reasons = why_stale(saved, plan, datetime.now(UTC))
    command = "plan" if saved.rollback_to is None else "rollback --out FILE"
    if reasons:
        raise Failure(
            "the plan may not be applied any more:" + "".join(f"\n  - {reason}" for reason in reasons),
            f"nothing was changed; run `reconcile {command}` again",
        )

"""Reading the plan file that a person names."""

from pathlib import Path

from reconciler.cli.failure import Failure
from reconciler.plan.file import PlanFile, load


def read_plan_file(path: Path) -> PlanFile:
    """The saved plan. Raises Failure, OSError or plan.file.PlanFileError when the file is none."""
    try:
        return load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise Failure(
            f"`{path}` is not a plan file: it is not text", "make one with `reconcile plan --out FILE`"
        ) from None

"""Expected texts in files: `RECONCILER_BLESS=1` writes what comes out now, to be read in the diff before it is kept."""

import os
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases"


def assert_golden(case: str, actual: str) -> None:
    """`actual` is what `tests/cases/<case>` holds."""
    path = CASES / case
    if os.environ.get("RECONCILER_BLESS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(actual, encoding="utf-8")
    assert path.exists(), f"{path} is missing; RECONCILER_BLESS=1 writes it"
    assert actual == path.read_text(encoding="utf-8")

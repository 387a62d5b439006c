"""What an installed reconciler brings along."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_the_wheel_holds_every_schema_and_table_and_no_generator() -> None:
    published = {f"schemas/{path.name}" for path in (ROOT / "schemas").glob("*.json")}
    assert published == set(WHEEL["force-include"])


def test_the_wheel_holds_the_code_that_is_shipped_to_clusters() -> None:
    assert "runtime" in WHEEL["packages"]

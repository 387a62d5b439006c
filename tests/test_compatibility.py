"""The promise of `schemas/README.md`: what an earlier minor version published still holds."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.cli.schema import SCHEMAS
from reconciler.plan.file import load
from reconciler.views.plan_markdown import plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.saved_plan import saved_plan

FORMATS = Path(__file__).parent / "cases" / "formats"
"""Never blessed again: `NAME-VERSION.schema.json` as it was first published, and documents of that version."""

FIRST = {path.name.split("-")[0]: path for path in sorted(FORMATS.glob("*.schema.json"))}
DOCUMENTS = [path for path in sorted(FORMATS.glob("*.json*")) if not path.name.endswith(".schema.json")]
WORDS = ("description", "title")

Schema = Mapping[str, Any]


def breaks(old: Any, new: Any, where: str = "") -> Iterator[str]:
    """What of the old schema no longer holds in the new one."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{where}: was {old}, is {new}"
        return
    for key in sorted((old.keys() | new.keys()) - set(WORDS)):
        here = f"{where}.{key}"
        if key == "properties":
            for name in old.get(key, {}).keys() - new.get(key, {}).keys():
                yield f"{here}.{name}: was taken away"
            for name in old.get(key, {}).keys() & new.get(key, {}).keys():
                yield from breaks(old[key][name], new[key][name], f"{here}.{name}")
        elif key == "required":
            for name in set(old.get(key, ())) - set(new.get(key, ())):
                yield f"{here}.{name}: may be missing now"
            for name in set(new.get(key, ())) - set(old.get(key, ())):
                yield f"{here}.{name}: a member added later must not be required; make it `optional`"
        elif key == "enum":
            for value in [value for value in old.get(key, ()) if value not in new.get(key, ())]:
                yield f"{here}: `{value}` was taken away"
        elif key == "allOf":
            later = {json.dumps(entry["if"]): entry for entry in new[key]}
            for entry in old[key]:
                condition = json.dumps(entry["if"])
                yield from breaks(entry, later.get(condition), f"{here}[{condition}]")
        elif key not in old or key not in new:
            yield f"{here}: was {'added' if key in new else 'taken away'}"
        elif key in ("anyOf", "oneOf") and len(old[key]) == len(new[key]):
            for index, (one, other) in enumerate(zip(old[key], new[key], strict=True)):
                yield from breaks(one, other, f"{here}[{index}]")
        else:
            yield from breaks(old[key], new[key], here)


@pytest.mark.parametrize("name", FIRST)
def test_what_was_published_first_still_holds(name: str) -> None:
    assert list(breaks(json.loads(FIRST[name].read_text()), SCHEMAS[name]())) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_of_an_earlier_version_fits_the_schema_of_today(path: Path) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMAS[path.name.split("-")[0]]())
    for text in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
        validator.validate(json.loads(text))


def test_there_is_an_earlier_document_of_every_schema() -> None:
    reports = SCHEMAS.keys() - {"model", "cluster"}
    assert reports == FIRST.keys() == {path.name.split("-")[0] for path in DOCUMENTS}


@pytest.mark.parametrize("path", sorted(FORMATS.glob("plan-*.json")), ids=lambda path: path.name)
def test_a_plan_file_of_an_earlier_version_is_read_and_shown(path: Path) -> None:
    if path.name.endswith(".schema.json"):
        return
    plan = saved_plan(load(path.read_text()).document)
    assert "held: delete acme--kept" in plan_text(plan)
    assert plan_text(plan).endswith("Plan: 2 to update in place, 1 to restart, 1 to delete, 1 held\n")
    assert plan_markdown(plan).startswith("### Plan: 2 to update in place")
    assert plan.options.models == ()


def _action(members: Any) -> Any:
    return members["holds"]["items"]["properties"]["action"]["properties"]


def narrowed(change: Any) -> Schema:
    schema = json.loads(FIRST["plan"].read_text())
    change(schema["properties"])
    return schema


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (narrowed(lambda members: members.pop("warnings")), ".properties.warnings: was taken away"),
        (narrowed(lambda members: members["cluster"].update(type=["string", "null"])), ".cluster.type: was string"),
        (narrowed(lambda members: members["cluster"].update(minLength=1)), ".cluster.minLength: was added"),
        (narrowed(lambda members: members["capacity"]["required"].append("new")), "must not be required"),
        (narrowed(lambda members: members["capacity"]["required"].pop()), "may be missing now"),
        (
            narrowed(
                lambda members: members["holds"]["items"]["properties"]["action"]["properties"]["kind"]["enum"].pop()
            ),
            "`delete` was taken away",
        ),
    ],
)
def test_a_break_is_noticed(schema: Schema, message: str) -> None:
    found = list(breaks(json.loads(FIRST["plan"].read_text()), schema))
    assert len(found) == 1
    assert message in found[0]


def test_members_and_values_may_be_added() -> None:
    def add(members: Any) -> None:
        members["new"] = {"type": "string"}
        _action(members)["impact"]["enum"].append("outage")
        members["cluster"]["description"] = "Another one."

    assert list(breaks(json.loads(FIRST["plan"].read_text()), narrowed(add))) == []

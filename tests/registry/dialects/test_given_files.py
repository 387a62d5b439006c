"""Every real model file of the first formats is read, or refused for a reason that stands here."""

import csv
from dataclasses import replace

import pytest

from reconciler.diagnostics import Severity
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.dialects import aviary, opencsg, tgi
from reconciler.registry.dialects.translation import dotted
from reconciler.registry.key_path import KeyPath
from reconciler.registry.model_file import read_model
from tests.support.dialects import INPUTS

NAMES = {"A": aviary.NAME, "A*": opencsg.NAME, "B": tgi.NAME}

REFUSED = {
    aviary.NAME: {"unsupported-engine"},
    opencsg.NAME: {"unsupported-engine", "unsupported-task", "prompt-format-parts"},
    # Three files aim at 20 requests where a replica takes 10.
    tgi.NAME: {"ongoing-requests"},
}
"""What is wrong with some of the files, by their format."""

if not INPUTS.is_dir():
    pytest.skip("there are no given files", allow_module_level=True)


def given() -> list[tuple[str, str]]:
    """The path and the format of each file."""
    with (INPUTS / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = list(csv.DictReader(index, delimiter="\t"))
    return [
        (row["path"], _format(row["era"])) for row in rows if row["kind"].startswith("model") and row["era"][0] in "AB"
    ]


def _format(era: str) -> str:
    label = era.split()[0]
    return NAMES[label if label == "A*" else label[0]]


def leaves(value: object, path: KeyPath = ()) -> list[KeyPath]:
    if isinstance(value, dict) and value:
        return [leaf for key, child in value.items() for leaf in leaves(child, (*path, key))]
    return [path]


@pytest.mark.parametrize(("path", "dialect"), given())
def test_a_given_file_is_read(path: str, dialect: str) -> None:
    found = read_model("given.yaml", (INPUTS / path).read_bytes())
    assert found.document is not None
    assert found.translation is not None
    assert found.translation.dialect == dialect
    decided = [fate.path for fate in found.translation.fates]
    for leaf in leaves(found.document.value):
        over = [path for path in decided if leaf[: len(path)] == path]
        assert len(over) == 1, f"`{dotted(leaf)}` has {len(over)} fates"
    problems = list(found.diagnostics)
    if found.entry is not None:
        name = found.entry.spec.model_id.replace("/", "--")
        problems.extend(check_model(replace(found.entry, file=f"{name}.yaml")))
    errors = {problem.rule for problem in problems if problem.severity is Severity.ERROR}
    assert errors <= REFUSED[dialect]
    assert found.entry is not None or errors
    assert all(problem.position in set(found.document.positions.values()) for problem in found.translation.diagnostics)


def test_most_of_the_given_files_are_read_without_an_error() -> None:
    read = [
        path
        for path, _ in given()
        if not any(
            problem.severity is Severity.ERROR
            for problem in read_model("given.yaml", (INPUTS / path).read_bytes()).diagnostics
        )
    ]
    assert len(read) == 83

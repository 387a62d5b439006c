"""What every readable given file compiles to is taken by Ray Serve's own forms and by the engine's configuration."""

import csv
from dataclasses import replace

import pytest

from reconciler.diagnostics import has_errors
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.model_file import ModelFile, read_model
from reconciler.registry.registry import ModelEntry
from tests.support.against_ray import hand_to_ray
from tests.support.dialects import INPUTS

if not INPUTS.is_dir():
    pytest.skip("there are no given files", allow_module_level=True)


def given() -> list[str]:
    """The path of every given model file."""
    with (INPUTS / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        return [row["path"] for row in csv.DictReader(index, delimiter="\t") if row["kind"].startswith("model")]


def named(found: ModelFile) -> ModelEntry | None:
    """The model under the file name that its id asks for."""
    if found.entry is None:
        return None
    return replace(found.entry, file=f"{found.entry.spec.model_id.replace('/', '--')}.yaml")


def verdicts() -> list[tuple[str, ModelFile, tuple[str, ...]]]:
    """Each file as it is read, with the rules that refuse it."""
    rows = []
    for path in given():
        found = read_model(path, (INPUTS / path).read_bytes())
        entry = named(found)
        problems = [*found.diagnostics, *(check_model(entry) if entry else ())]
        errors = {problem.rule for problem in problems if has_errors([problem])}
        rows.append((path, found, tuple(sorted(errors))))
    return rows


def test_the_fate_of_every_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    rows = verdicts()
    with capsys.disabled():
        print()
        for path, found, errors in rows:
            dialect = found.translation.dialect if found.translation else "canonical"
            print(f"{path:<110}{dialect:<46}{'refused: ' + ', '.join(errors) if errors else 'read'}")
    assert rows
    assert all(errors or found.entry for _, found, errors in rows)


def test_what_a_readable_file_compiles_to_is_what_ray_and_vllm_take() -> None:
    taken = 0
    for _, found, errors in verdicts():
        entry = named(found)
        if not errors and entry is not None:
            hand_to_ray(entry)
            taken += 1
    assert taken > len(given()) / 2

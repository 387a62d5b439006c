"""Whole registries and what is said about them. A new case is a new folder in `tests/cases/registry`; its
`expected.txt` is written by RECONCILER_BLESS=1."""

from pathlib import Path

import pytest

from reconciler.diagnostics import Diagnostic
from reconciler.registry.loader import load
from tests.support.golden import CASES, assert_golden

REGISTRIES = CASES / "registry"


def as_text(diagnostics: tuple[Diagnostic, ...]) -> str:
    lines = []
    for diagnostic in diagnostics:
        lines.append(f"{diagnostic.position}: {diagnostic.severity} {diagnostic.rule}: {diagnostic.message}")
        if diagnostic.hint is not None:
            lines.append(f"    {diagnostic.hint}")
    return "".join(f"{line}\n" for line in lines) or "no problems\n"


@pytest.mark.parametrize("case", sorted(path.name for path in REGISTRIES.iterdir() if path.is_dir()))
def test_a_registry_and_its_diagnostics(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REGISTRIES / case)
    loaded = load(Path())
    assert_golden(f"registry/{case}/expected.txt", as_text(loaded.diagnostics))
    assert (loaded.registry is None) == any(each.severity == "error" for each in loaded.diagnostics)

from pathlib import Path

import pytest

from reconciler.registry.imports.referenced_files import referenced_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "models" / "b.yaml").write_text("b")
    (tmp_path / "models" / "deep" / "a.yml").write_text("a")
    (tmp_path / "models" / "notes.txt").write_text("private")
    monkeypatch.chdir(tmp_path / "docs")
    return tmp_path


def found(reference: str, file: str = "serve.yaml") -> list[tuple[str, bytes]]:
    return [(source.file, source.content) for source in referenced_files(reference, file)]


def test_a_file_is_found_in_a_folder_above(folder: Path) -> None:
    assert found("./models/b.yaml") == [("../models/b.yaml", b"b")]
    assert found("models/b.yaml", str(folder / "docs" / "serve.yaml")) == [(str(folder / "models/b.yaml"), b"b")]


def test_the_nearest_file_counts(folder: Path) -> None:
    (folder / "docs" / "models").mkdir()
    (folder / "docs" / "models" / "b.yaml").write_text("near")
    assert found("./models/b.yaml") == [("models/b.yaml", b"near")]


def test_a_folder_stands_for_the_model_files_in_it(folder: Path) -> None:
    assert found("models") == [("../models/b.yaml", b"b"), ("../models/deep/a.yml", b"a")]


@pytest.mark.parametrize("reference", ["models/gone.yaml", "models/notes.txt", "", " ", "a\nb", "x" * 5000, "\0"])
def test_what_is_not_there_or_no_model_file_is_nothing(folder: Path, reference: str) -> None:
    assert found(reference) == []

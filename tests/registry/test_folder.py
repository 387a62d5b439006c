import os
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.diagnostics import Diagnostic
from reconciler.registry.folder import Listing, SourceFile, list_folder, read
from reconciler.registry.loader import load
from reconciler.registry.source_text import MAX_BYTES

MODEL = "engine_config: {model_id: org/a}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    (root / "clusters").mkdir(parents=True)
    (root / "clusters" / "local.yaml").write_text("owner: a\nlocal: true\n")
    (root / "org--a.yaml").write_text(MODEL)
    return root


def rules(root: Path) -> list[tuple[str, str]]:
    return [(Path(each.position.file).name, each.rule) for each in load(root).diagnostics]


def test_files_are_listed_by_name_whatever_the_disk_says(root: Path) -> None:
    for name in ("b.yaml", "A.yaml", ".c.yaml", "d.json"):
        (root / name).touch()
    listing = list_folder(root, root)
    assert isinstance(listing, Listing)
    assert [file.stem for file in listing.files] == ["A", "b", "org--a"]
    assert [file.shown for file in listing.files] == [str(root / name) for name in ("A.yaml", "b.yaml", "org--a.yaml")]


def test_a_registry_that_is_a_link_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert rules(tmp_path / "link") == []


def test_a_missing_folder(tmp_path: Path) -> None:
    assert rules(tmp_path / "nothing") == [("nothing", "no-registry")]


def test_a_file_is_no_registry(root: Path) -> None:
    assert rules(root / "org--a.yaml") == [("org--a.yaml", "no-registry")]


def test_a_folder_that_cannot_be_named(tmp_path: Path) -> None:
    found = list_folder(tmp_path / ("x" * 300), tmp_path / ("x" * 300))
    assert isinstance(found, Diagnostic)
    assert (found.rule, found.message) == ("unreadable", "the folder cannot be read: file name too long")


def test_links_inside_the_registry_are_followed(root: Path) -> None:
    (root / "org--a.yaml").rename(root / "clusters" / ".hidden")
    (root / "org--a.yaml").symlink_to("clusters/.hidden")
    assert rules(root) == []


def test_links_out_of_the_registry_are_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(MODEL)
    (tmp_path / "registry-2").mkdir()
    (root / "org--b.yaml").symlink_to(tmp_path / "outside.yaml")
    (root / "org--c.yaml").symlink_to("../registry-2")
    (root / "docs").symlink_to(tmp_path / "registry-2")
    assert rules(root) == [("org--b.yaml", "link-out-of-registry"), ("org--c.yaml", "link-out-of-registry")]


def test_a_clusters_folder_out_of_the_registry_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "clusters").rename(tmp_path / "clusters")
    (root / "clusters").symlink_to(tmp_path / "clusters")
    assert rules(root) == [("clusters", "link-out-of-registry")]


def test_links_to_nowhere_are_refused(root: Path) -> None:
    (root / "org--b.yaml").symlink_to("nothing")
    (root / "org--c.yaml").symlink_to("org--c.yaml")
    assert rules(root) == [("org--b.yaml", "unreadable"), ("org--c.yaml", "unreadable")]


def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "org--b.yaml")
    assert rules(root) == [("org--b.yaml", "unreadable")]


def test_a_clusters_file_is_no_folder(root: Path) -> None:
    (root / "clusters" / "local.yaml").unlink()
    (root / "clusters").rmdir()
    (root / "clusters").touch()
    assert rules(root) == [("org--a.yaml", "no-cluster")]


def test_a_folder_that_may_not_be_read_is_left_alone_below_the_registry(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "private").mkdir()

    def refuse(path: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert rules(root) == []


def test_a_file_that_goes_away_is_unreadable(tmp_path: Path) -> None:
    found = read(SourceFile("a", str(tmp_path / "a.yaml"), "a.yaml"))
    assert isinstance(found, Diagnostic)
    assert found.message == "the file cannot be read: no such file or directory"


def test_an_unreadable_file_is_told_and_the_others_are_checked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "org--b.yaml").touch()
    (root / "org--c.yaml").touch()

    def read_unless_gone(file: SourceFile) -> bytes | Diagnostic:
        return read(replace(file, path=f"{file.path}-gone") if file.stem == "org--b" else file)

    monkeypatch.setattr("reconciler.registry.examine.read", read_unless_gone)
    assert rules(root) == [("org--b.yaml", "unreadable"), ("org--c.yaml", "empty-file")]


def test_no_more_of_a_file_is_read_than_the_limit(root: Path) -> None:
    (root / "org--b.yaml").write_bytes(b"#" * (MAX_BYTES * 2))
    content = read(SourceFile("b", str(root / "org--b.yaml"), "b"))
    assert content == b"#" * (MAX_BYTES + 1)
    assert rules(root) == [("org--b.yaml", "file-too-large")]


def test_names_that_no_terminal_shows_are_escaped(root: Path) -> None:
    (root / "a\nb\udcff.yaml").write_text("[]")
    assert [each.position.file for each in load(root).diagnostics] == [f"{root}/a\\nb\\udcff.yaml"]

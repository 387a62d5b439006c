import subprocess
from pathlib import Path

import pytest

from reconciler.registry.revision import Revision, revision


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    answer = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True)
    return answer.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    repository = tmp_path / "repository"
    (repository / "registry" / "clusters").mkdir(parents=True)
    (repository / "registry" / "a.yaml").write_text("a\n")
    (repository / "other.txt").write_text("other\n")
    (repository / ".gitignore").write_text("*.swp\nignored.yaml\n")
    git(repository, "init", "-q")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "one")
    return repository


def test_a_clean_folder_in_its_repository(repository: Path) -> None:
    assert revision(repository / "registry") == Revision(
        git(repository, "rev-parse", "HEAD"), git(repository, "rev-parse", "HEAD:registry"), False
    )


def test_the_whole_repository_may_be_the_registry(repository: Path) -> None:
    assert revision(repository).tree == git(repository, "rev-parse", "HEAD^{tree}")


def test_the_tree_stays_when_another_folder_changes(repository: Path) -> None:
    before = revision(repository / "registry")
    (repository / "other.txt").write_text("changed\n")
    assert revision(repository / "registry") == before
    git(repository, "commit", "-q", "-a", "-m", "two")
    after = revision(repository / "registry")
    assert (after.tree, after.dirty) == (before.tree, False)
    assert after.commit != before.commit


def test_a_relative_path_and_a_link_lead_to_the_same_folder(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = revision(repository / "registry")
    (tmp_path / "link").symlink_to(repository / "registry")
    assert revision(tmp_path / "link") == expected
    monkeypatch.chdir(repository)
    assert revision(Path("registry")) == expected


@pytest.mark.parametrize("name", ["a.yaml", "new.yaml", "clusters/new.yaml", "ignored.yaml"])
def test_a_file_that_the_commit_does_not_hold_makes_it_dirty(repository: Path, name: str) -> None:
    (repository / "registry" / name).write_text("changed\n")
    assert revision(repository / "registry").dirty


def test_a_deleted_and_a_staged_file_make_it_dirty(repository: Path) -> None:
    (repository / "registry" / "a.yaml").unlink()
    assert revision(repository / "registry").dirty
    git(repository, "rm", "-q", "--cached", "registry/a.yaml")
    assert revision(repository / "registry").dirty


def test_ignored_files_that_are_no_models_do_not_matter(repository: Path) -> None:
    (repository / "registry" / ".a.yaml.swp").touch()
    assert not revision(repository / "registry").dirty


def test_a_folder_that_the_commit_does_not_have_has_no_tree(repository: Path) -> None:
    (repository / "drafts").mkdir()
    (repository / "drafts" / "a.yaml").touch()
    found = revision(repository / "drafts")
    assert (found.tree, found.dirty) == (None, True)


def test_a_folder_outside_git_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert revision(tmp_path) == Revision(None, None, False)
    assert revision(tmp_path / "nothing") == Revision(None, None, False)


def test_a_repository_without_commits_or_files_has_no_revision(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty")
    assert revision(tmp_path / "empty") == Revision(None, None, False)
    git(tmp_path, "init", "-q", "--bare", "bare")
    assert revision(tmp_path / "bare") == Revision(None, None, False)


def test_without_git_there_is_no_revision(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert revision(repository) == Revision(None, None, False)


def test_what_git_refuses_to_compare_counts_as_dirty(repository: Path) -> None:
    (repository / ".git" / "index").write_bytes(b"broken")
    found = revision(repository / "registry")
    assert found.commit is not None
    assert found.dirty

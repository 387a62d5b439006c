import sys
from pathlib import Path

import pytest

from reconciler.registry.commits import RegistryCommit, is_ancestor, merged_since, subjects, taking_back
from reconciler.registry.repository import GitTrouble, open_repository
from tests.support.repository import commit, git


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A registry folder in a repository with one commit."""
    git(tmp_path, "init", "-q")
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "a.yaml").write_text("1\n")
    (tmp_path / "registry" / "b.yaml").write_text("1\n")
    commit(tmp_path, "One: äöü")
    return tmp_path / "registry"


def edit(root: Path, name: str, text: str, subject: str) -> str:
    """A commit that writes a file."""
    (root / name).write_text(text)
    return commit(root.parent, subject)


def test_subjects_of_the_commits_that_are_there(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    with open_repository(root) as repository:
        assert subjects(repository, [first, "f" * 40, first]) == {first: "One: äöü"}


def test_what_changed_the_registry_since_newest_first(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    second = edit(root, "a.yaml", "2\n", "Two")
    (root.parent / "README").write_text("text")
    commit(root.parent, "Elsewhere")
    third = edit(root, "c.yaml", "3\n", "Three")
    with open_repository(root) as repository:
        assert merged_since(repository, first, 9) == (RegistryCommit(third, "Three"), RegistryCommit(second, "Two"))
        assert merged_since(repository, first, 1) == (RegistryCommit(third, "Three"),)
        assert merged_since(repository, third, 9) == ()


def test_a_merge_counts_as_one(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    git(root, "checkout", "-q", "-b", "branch")
    edit(root, "a.yaml", "2\n", "Two")
    edit(root, "a.yaml", "3\n", "Three")
    git(root, "checkout", "-q", "main")
    git(root, "merge", "-q", "--no-ff", "-m", "Merge it", "branch")
    with open_repository(root) as repository:
        assert [each.subject for each in merged_since(repository, first, 9)] == ["Merge it"]


def test_ancestors_as_far_as_the_clone_knows(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    second = edit(root, "a.yaml", "2\n", "Two")
    with open_repository(root) as repository:
        assert is_ancestor(repository, first, second)
        assert not is_ancestor(repository, second, first)
        assert not is_ancestor(repository, "f" * 40, second)


def test_nothing_to_take_back_where_git_says_the_same(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    edit(root, "a.yaml", "2\n", "Two")
    edit(root, "a.yaml", "1\n", "Back")
    with open_repository(root) as repository:
        assert taking_back(repository, first, ["registry"]) is None


def test_many_commits_are_taken_back_by_content(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    changed = [edit(root, "a.yaml", f"{number}\n", f"Commit {number}") for number in range(2, 8)]
    with open_repository(root) as repository:
        command = taking_back(repository, first, ["registry"])
        assert str(command).startswith(f"git restore --source={first[:12]} --staged --worktree -- registry")
        assert taking_back(repository, changed[0], ["registry"]) == (
            "git revert --no-edit " + " ".join(each[:12] for each in reversed(changed[1:]))
        )


def test_a_commit_of_another_branch_is_taken_over_by_content(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "other")
    other = edit(root, "a.yaml", "2\n", "Two")
    git(root, "checkout", "-q", "main")
    with open_repository(root) as repository:
        assert str(taking_back(repository, other, ["registry"])).startswith("git restore ")


def test_paths_are_quoted(root: Path) -> None:
    first = git(root, "rev-parse", "HEAD")
    (root / "b.yaml").write_text("2\n")
    edit(root, "a b.yaml", "2\n", "Two")
    with open_repository(root) as repository:
        assert "'registry/a b.yaml'" in str(taking_back(repository, first, ["registry/a b.yaml"]))


def test_a_folder_outside_git_an_empty_repository_and_no_git_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for folder, message in ((tmp_path, "is in no git repository"), (tmp_path / "nothing", "does not exist")):
        with pytest.raises(GitTrouble, match=message), open_repository(folder):
            pass
    git(tmp_path, "init", "-q", "empty")
    with pytest.raises(GitTrouble, match="has no commit"), open_repository(tmp_path / "empty"):
        pass
    monkeypatch.setitem(sys.modules, "git", None)
    with pytest.raises(GitTrouble, match="git is not installed"), open_repository(tmp_path / "empty"):
        pass


def test_names_that_mean_no_commit(root: Path) -> None:
    with open_repository(root) as repository:
        for name in ("nothing", "--all", "HEAD:registry", ""):
            with pytest.raises(GitTrouble):
                repository.commit(name)
        assert repository.commit("HEAD").summary == "One: äöü"
        assert repository.path_of(root / "a.yaml") == "registry/a.yaml"

"""The git repository that a registry folder lies in, and its commits by whatever name people have for them.

Only git's objects are read. What git does not have here is an error that says how to get it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from git import Commit, Repo


class GitTrouble(Exception):
    """Git cannot say: why, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class RegistryRepository:
    """An open repository and the registry's place in it."""

    git: "Repo"
    folder: str
    """The registry's path from the top of the repository, with `/`; `.` when it is all of it."""

    @property
    def is_shallow(self) -> bool:
        """Whether the clone was cut off at some depth, as CI systems do it."""
        return (Path(str(self.git.common_dir)) / "shallow").exists()

    @property
    def how_to_fetch(self) -> str:
        """What brings commits that this clone does not have."""
        if self.is_shallow:
            return "this clone is shallow: `git fetch --unshallow` (with `actions/checkout`: `fetch-depth: 0`)"
        return "`git fetch --all --tags` may bring it"

    def path_of(self, file: Path) -> str:
        """A file's path from the top of the repository, with `/`. Raises ValueError for one outside."""
        top = Path(str(self.git.working_tree_dir)).resolve()
        return (file.parent.resolve() / file.name).relative_to(top).as_posix()

    def commit(self, name: str) -> "Commit":
        """The commit that a hash, tag, branch or any other name of git's stands for. Raises `GitTrouble`."""
        import git

        if name.startswith("-"):
            raise GitTrouble(f"`{name}` is not the name of a commit", "give a commit, a tag or a branch")
        try:
            found = self.git.git.rev_parse("--verify", f"{name}^{{commit}}")
            return self.git.commit(found)
        except (git.GitCommandError, git.ODBError, ValueError) as error:
            if "ambiguous" in str(error):
                raise GitTrouble(f"`{name}` is the start of several commits", "give more of its digits") from error
            message = f"git has no commit `{name}` here"
            hint = f"{self.how_to_fetch}; `reconcile history` shows what was applied"
            raise GitTrouble(message, hint) from error


@contextmanager
def open_repository(root: Path) -> Iterator[RegistryRepository]:
    """The repository of the registry folder `root`. Raises `GitTrouble` where there is none with a commit."""
    try:
        # Not at the top: GitPython takes longer to import than a registry takes to read.
        import git
    except ImportError as error:  # GitPython's answer to a machine without git.
        raise GitTrouble("git is not installed here", "install git") from error
    try:
        folder = root.resolve()
        repository = git.Repo(folder, search_parent_directories=True)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        message = f"`{root}` is in no git repository" if root.exists() else f"the folder `{root}` does not exist"
        raise GitTrouble(message, "name the registry folder of a git clone with `--registry`") from error
    with repository:
        if repository.bare or not repository.head.is_valid():
            raise GitTrouble(f"the git repository of `{root}` has no commit", "commit the registry first")
        top = Path(str(repository.working_tree_dir)).resolve()
        yield RegistryRepository(repository, folder.relative_to(top).as_posix())

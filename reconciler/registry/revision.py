"""The commit that a registry folder stands at."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from git import Commit, Repo


@dataclass(frozen=True, slots=True)
class Revision:
    """Where the registry's files come from, or None, None and False outside git and before the first commit."""

    commit: str | None
    """Hash of the commit that is checked out."""
    tree: str | None
    """Git's hash of the registry folder in that commit; None where the commit does not have the folder."""
    dirty: bool
    """Whether the folder's files are not those of the commit: changed, deleted, new, or read though git ignores them.
    Also true where git refuses to compare them, as it does in a repository of another user.
    """


_NONE = Revision(None, None, False)


def revision(root: Path) -> Revision:
    """The revision of the registry folder `root`, which may be a sub folder of its repository. Raises nothing."""
    try:
        # Not at the top: GitPython takes longer to import than a registry takes to read.
        import git
    except ImportError:  # GitPython's answer to a machine without git.
        return _NONE
    try:
        # The folder itself: where a link stands may be no repository, or another one.
        folder = root.resolve()
        repository = git.Repo(folder, search_parent_directories=True)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError):
        return _NONE
    with repository:
        if repository.bare or not repository.head.is_valid():
            return _NONE
        commit = repository.head.commit
        try:
            dirty = _is_dirty(repository, folder)
        except git.GitCommandError:
            dirty = True
        return Revision(commit.hexsha, _tree(repository, commit, folder), dirty)


def _tree(repository: "Repo", commit: "Commit", folder: Path) -> str | None:
    path = folder.relative_to(Path(str(repository.working_tree_dir)).resolve()).as_posix()
    if path == ".":
        return str(commit.tree.hexsha)
    try:
        return str(commit.tree.join(path).hexsha)
    except KeyError:
        return None


def _is_dirty(repository: "Repo", folder: Path) -> bool:
    status = repository.git.status(
        "--porcelain", "--untracked-files=all", "--ignored=matching", "-z", "--", str(folder)
    )
    # An ignored file matters only when the loader reads it all the same.
    return any(line and (not line.startswith("!!") or line.endswith(".yaml")) for line in status.split("\0"))

"""What a file held in earlier commits."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MAX_COMMITS = 500
"""Commits of one file that are looked at, the latest ones."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The content of a file in one commit."""

    commit: str
    """The commit's hash."""
    content: bytes


History = Callable[[str], tuple[Earlier, ...]]
"""The committed contents of the file at a path, oldest first."""


def git_history(file: str) -> tuple[Earlier, ...]:
    """The committed contents of a file, oldest first; none outside git and where git refuses to answer."""
    try:
        # Not at the top: GitPython takes longer to import than the rest takes to run.
        import git
    except ImportError:
        return ()
    path = Path(file).resolve()
    found: list[Earlier] = []
    try:
        with git.Repo(path.parent, search_parent_directories=True) as repository:
            if repository.bare or not repository.head.is_valid():
                return ()
            inside = path.relative_to(Path(str(repository.working_tree_dir)).resolve()).as_posix()
            for commit in repository.iter_commits(paths=inside, max_count=MAX_COMMITS):
                try:
                    content = commit.tree.join(inside).data_stream.read()
                except KeyError:  # The commit that deleted it.
                    continue
                found.append(Earlier(commit.hexsha, content))
    except (git.InvalidGitRepositoryError, git.NoSuchPathError, git.GitCommandError, ValueError):
        return ()
    return tuple(reversed(found))

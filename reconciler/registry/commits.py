"""What git says about the commits of a registry: their subjects, what came after one, and how to take it back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from reconciler.registry.repository import RegistryRepository

if TYPE_CHECKING:
    from git import Commit

MAX_REVERTS = 5
"""A command with more commits than these is harder to read than what it does."""


@dataclass(frozen=True, slots=True)
class RegistryCommit:
    """One commit: its hash and the first line of its message."""

    commit: str
    subject: str


def subjects(repository: RegistryRepository, commits: Iterable[str]) -> Mapping[str, str]:
    """The subject by hash, of those commits that this clone has."""
    import git

    found = {}
    for commit in set(commits):
        try:
            found[commit] = str(repository.git.commit(commit).summary)
        except (git.ODBError, ValueError):
            continue
    return found


def is_ancestor(repository: RegistryRepository, earlier: str, later: str) -> bool:
    """Whether `later` was built on `earlier`, as far as this clone knows."""
    import git

    try:
        return repository.git.is_ancestor(earlier, later)  # type: ignore[arg-type]
    except git.GitCommandError:
        return False


def commits_between(
    repository: RegistryRepository, earlier: str, later: str, paths: Sequence[str], limit: int
) -> tuple["Commit", ...]:
    """The commits after `earlier` up to `later` that changed one of the paths, newest first, at most `limit`; a merge
    counts as one."""
    changes = f"{earlier}..{later}"
    return tuple(repository.git.iter_commits(changes, paths=list(paths), max_count=limit, first_parent=True))


def merged_since(repository: RegistryRepository, commit: str, limit: int) -> tuple[RegistryCommit, ...]:
    """The commits up to the one that is checked out that changed the registry after `commit`, newest first."""
    head = repository.git.head.commit.hexsha
    found = commits_between(repository, commit, head, [repository.folder], limit)
    return tuple(RegistryCommit(each.hexsha, str(each.summary)) for each in found)


def taking_back(repository: RegistryRepository, earlier: str, paths: Sequence[str]) -> str | None:
    """The git command that gives `paths` back the content of the commit `earlier`, as a new commit on top of the one
    that is checked out; None when they have it."""
    head = repository.git.head.commit.hexsha
    if not paths or not repository.git.git.diff("--name-only", earlier, head, "--", *paths):
        return None
    changes = commits_between(repository, earlier, head, paths, MAX_REVERTS + 1)
    if is_ancestor(repository, earlier, head) and len(changes) <= MAX_REVERTS:
        merges = {len(each.parents) > 1 for each in changes}
        if len(merges) == 1 and _touch_only(repository, changes, paths):
            hashes = " ".join(each.hexsha[:12] for each in changes)
            return f"git revert --no-edit {'-m 1 ' if True in merges else ''}{hashes}"
    # Commits that hold more than this, or of both kinds: reverting them would take back too much, or is no one command.
    listed = " ".join(quote(path) for path in paths)
    message = quote(f"Roll back to {earlier[:12]}")
    return f"git restore --source={earlier[:12]} --staged --worktree -- {listed} && git commit -m {message}"


def _touch_only(repository: RegistryRepository, changes: Sequence["Commit"], paths: Sequence[str]) -> bool:
    def inside(file: str) -> bool:
        return any(path == "." or file == path or file.startswith(f"{path}/") for path in paths)

    return all(
        inside(file)
        for each in changes
        for file in repository.git.git.diff("--name-only", "-z", f"{each.hexsha}^1", each.hexsha).split("\0")
        if file
    )

"""The files of a registry that a branch changes, by git's own account."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from reconciler.registry.repository import GitTrouble, RegistryRepository

if TYPE_CHECKING:
    from git import Commit


def fork_point(repository: RegistryRepository, base: str) -> "Commit":
    """The last commit that the branch `base` and the one checked out have in common. Raises `GitTrouble`."""
    tip = repository.commit(base)
    found = repository.git.merge_base(tip, repository.git.head.commit)
    if not found:
        raise GitTrouble(f"`{base}` and the commit checked out have no commit in common", repository.how_to_fetch)
    return found[0]


def touched_files(repository: RegistryRepository, since: "Commit") -> frozenset[str]:
    """Paths below the registry folder, with `/`, of the files that were added, changed, moved or deleted between that
    commit and the one checked out; a moved file under both names."""
    folder = None if repository.folder == "." else repository.folder
    paths = {
        path
        for change in since.diff(repository.git.head.commit, paths=folder)
        for path in (change.a_path, change.b_path)
        if path
    }
    top = PurePosixPath(repository.folder)
    return frozenset(
        PurePosixPath(path).relative_to(top).as_posix() for path in paths if PurePosixPath(path).is_relative_to(top)
    )

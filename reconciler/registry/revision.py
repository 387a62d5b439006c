"""The commit that a registry folder stands at."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


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
_HASH = re.compile(r"[0-9a-f]{40,64}")


def revision(root: Path) -> Revision:
    """The revision of the registry folder `root`, which may be a sub folder of its repository. Raises nothing."""
    # The folder itself: where a link stands may be no repository, or another one.
    folder = root.resolve()
    # Hashes may be read in a repository of another user: nothing that it configures is run for that.
    asked = ("rev-parse", "--is-inside-work-tree", "HEAD", "HEAD:./")
    _, answer = _git(folder, "-c", "safe.directory=*", *asked)
    inside, commit, tree, *_ = (*answer.split("\n"), "", "", "")
    if inside != "true" or not _HASH.fullmatch(commit):
        return _NONE
    return Revision(commit, tree if _HASH.fullmatch(tree) else None, _is_dirty(folder))


def _is_dirty(folder: Path) -> bool:
    compared = ("status", "--porcelain", "--untracked-files=all", "--ignored=matching", "-z", "--", ".")
    code, answer = _git(folder, "--no-optional-locks", *compared)
    # An ignored file matters only when the loader reads it all the same.
    return code != 0 or any(
        line and (not line.startswith("!!") or line.endswith(".yaml")) for line in answer.split("\0")
    )


def _git(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and the answer. Not by GitPython, which takes longer to import than a registry takes to read."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    except OSError:
        return 127, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")

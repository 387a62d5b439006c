"""One start or stop at a time in a state folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system takes back when the process dies; a second process waits."""
    directory.mkdir(parents=True, exist_ok=True)
    # The folder lies in somebody's registry repository and holds the cluster's token.
    (directory / ".gitignore").write_text("*\n", encoding="ascii")
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

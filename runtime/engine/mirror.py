"""Fetching a folder of an object store into the layout of the Hugging Face cache.

A mirror is a plain copy of a repository and, if somebody wrote it, a file `hash` with the commit it was made of. It
goes to `models--<organisation>--<model>/snapshots/<hash>`, and `refs/main` names that snapshot, as in RayLLM and Ray.
"""

import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from runtime.engine.checkpoint import Lacking, check_folder, incomplete
from runtime.engine.errors import WeightsError
from runtime.engine.store import Folder, Stored

_log = logging.getLogger("ray.serve")

HASH_FILE = "hash"
NO_HASH = "0" * 40
"""The snapshot of a mirror without a file `hash`."""

_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files on this node, and what they were made of."""

    path: Path
    revision: str
    """What the file `hash` says, else `NO_HASH`, or the digest of a listing."""


def fetch(uri: str, root: Path, lacking: Lacking, *, by_content: bool = False) -> Snapshot:
    """Have everything below `uri` in a snapshot below `root`, and nothing else in it.

    What is there already is not fetched again: a file of the size and time that the store gives. `refs/main` is written
    last, so that what was interrupted is taken for whole by nobody. `by_content` gives every state of a folder without
    a file `hash` a snapshot of its own, instead of bringing one up to date.

    Raises:
        WeightsError: there is nothing, it may not be read, it is not whole, or the disk is too small; names `uri`.
        OSError: `root` cannot be written.
    """
    folder = Folder(uri)
    files = folder.files()
    if not files:
        raise WeightsError(f"there is nothing at `{folder.uri}`")
    missing = list(lacking(files, folder.read))
    if missing:
        raise incomplete(folder.uri, missing)
    revision = _revision(folder, files, by_content)
    snapshot = root / "snapshots" / revision
    snapshot.mkdir(parents=True, exist_ok=True)
    # Several replicas may start on one node: the first one fetches, the others wait and find everything there.
    with FileLock(root / ".fetch.lock"):
        _bring_up_to_date(folder, files, snapshot)
        check_folder(snapshot, lacking)
        _write(root / "refs" / "main", revision)
    return Snapshot(snapshot, revision)


def digest(files: Mapping[str, Stored]) -> str:
    """Stands for what a folder holds: names, sizes and times."""
    listing = sorted((name, stored.size, stored.modified) for name, stored in files.items())
    return hashlib.sha256(repr(listing).encode()).hexdigest()[:40]


def _revision(folder: Folder, files: Mapping[str, Stored], by_content: bool) -> str:
    if HASH_FILE in files:
        revision = (folder.read(HASH_FILE) or b"").decode(errors="replace").strip()
        if not _REVISION.fullmatch(revision):
            raise WeightsError(f"`{folder.uri}/{HASH_FILE}` holds no revision: {revision[:50]!r}")
        return revision
    if not by_content:
        return NO_HASH
    return digest(files)


def _bring_up_to_date(folder: Folder, files: Mapping[str, Stored], snapshot: Path) -> None:
    wanted = {name: stored for name, stored in files.items() if not _is_there(snapshot / name, stored)}
    size = sum(stored.size for stored in wanted.values())
    free = shutil.disk_usage(snapshot).free
    if size > free:
        raise WeightsError(f"not enough disk space for `{folder.uri}`: it takes {size} bytes, `{snapshot}` has {free}")
    begun = time.monotonic()
    folder.fetch(wanted, snapshot)
    if wanted and folder.files() != files:
        raise WeightsError(f"`{folder.uri}` was changed while it was fetched")
    for path in sorted(snapshot.rglob("*"), reverse=True):
        name = path.relative_to(snapshot).as_posix()
        if not path.is_dir() and name not in files:
            # Of an earlier state of the mirror: a file that is not meant any more may be loaded all the same.
            path.unlink()
    seconds = time.monotonic() - begun
    told = f"{len(wanted)} of {len(files)} files, {size / 1e6:.1f} MB, in {seconds:.1f} s" if wanted else "all there"
    _log.info("%s: %s", folder.uri, told)


def _is_there(path: Path, stored: Stored) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_size == stored.size and abs(found.st_mtime - stored.modified) < 1


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text)
    part.replace(path)

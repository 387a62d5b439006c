"""Folders in object stores, `s3://` and `gs://`, reached through pyarrow, which `ray[llm]` brings for both.

Ray's own readers cannot be relied on: they take a folder that is empty, files that they failed to fetch, and a `hash`
file that they may not read, for success (`ray.llm._internal.common.utils.cloud_filesystem`, 2.60). `s3://` they read
with boto3, which `ray[llm]` does not bring.
"""

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from runtime.engine.errors import WeightsError
from runtime.engine.store_errors import NO_BUCKET, NOTHING, explained

_PATIENCE = timedelta(seconds=30)
"""How long Google's client tries again; by itself it would for 15 minutes, without a word."""

_PIECE_BYTES = 16 * 1024 * 1024
_AT_A_TIME = 16
"""Pieces fetched at a time: one connection alone is far slower than the network."""

_ANONYMOUS = "anonymous@"
"""`s3://anonymous@bucket/...` is read without credentials, as in Ray."""


def is_uri(text: str) -> bool:
    """Whether it names a folder in an object store."""
    return text.startswith(("s3://", "gs://"))


@dataclass(frozen=True, slots=True)
class Stored:
    """One file of a folder."""

    size: int
    """Bytes."""
    modified: float
    """Seconds since the epoch; 0 where the store does not say."""


class Folder:
    """A folder in an object store, such as `s3://bucket/models/qwen`."""

    def __init__(self, uri: str) -> None:
        """`uri` names the folder, with or without a slash at its end. Nothing is read yet."""
        self.uri = uri.rstrip("/")
        scheme, _, rest = self.uri.partition("://")
        anonymous = rest.startswith(_ANONYMOUS)
        self._path = rest.removeprefix(_ANONYMOUS).strip("/")
        self._bucket = self._path.partition("/")[0]
        with self._explained():
            self._store = _s3(self._bucket, anonymous) if scheme == "s3" else _gcs(anonymous)

    def files(self) -> dict[str, Stored]:
        """Every file below the folder, by its name in it, such as `1_Pooling/config.json`; none where there is no such
        folder.

        Raises:
            WeightsError: there is no such bucket, it may not be read, or the store does not answer.
        """
        from pyarrow import fs

        with self._explained():
            try:
                found = self._store.get_file_info(fs.FileSelector(self._path, recursive=True))
            except OSError as error:
                if NOTHING.search(str(error)) and not NO_BUCKET.search(str(error)):
                    return {}
                raise
        files = {
            entry.path.removeprefix(f"{self._path}/"): _stored(entry)
            for entry in found
            if entry.type is fs.FileType.File and not entry.path.endswith("/")
        }
        for name in files:
            if name.startswith("/") or ".." in name.split("/"):
                raise WeightsError(f"`{self.uri}` has a file that leads out of it: {name!r}")
        return files

    def stat(self, name: str) -> Stored | None:
        """One file; None where there is none.

        Raises:
            WeightsError: as `files`.
        """
        from pyarrow import fs

        with self._explained():
            entry = self._store.get_file_info(f"{self._path}/{name}")
        return _stored(entry) if entry.type is fs.FileType.File else None

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none.

        Raises:
            WeightsError: as `files`.
        """
        if self.stat(name) is None:
            return None
        with self._explained(), self._store.open_input_file(f"{self._path}/{name}") as stream:
            content: bytes = stream.read()
        return content

    def fetch(self, wanted: Mapping[str, Stored], target: Path, names: Mapping[str, str] | None = None) -> None:
        """Write files of the folder below `target`, under their names or those that `names` gives. Each appears whole
        or not at all, with the time that the store gives for it; what was there is replaced, and whoever reads that
        goes on reading it.

        Raises:
            WeightsError: as `files`; or a file is shorter by now.
            OSError: they cannot be written there.
        """
        with ThreadPoolExecutor(_AT_A_TIME, "fetch") as pool:
            places = {name: target / (names or {}).get(name, name) for name in wanted}
            pending = {name: self._pieces(pool, name, stored, places[name]) for name, stored in wanted.items()}
            try:
                for name, stored in wanted.items():
                    part, pieces = pending[name]
                    for piece in pieces:
                        piece.result()
                    os.utime(part, (stored.modified, stored.modified))
                    part.replace(places[name])
            finally:
                pool.shutdown(cancel_futures=True)
                for part, _ in pending.values():
                    part.unlink(missing_ok=True)

    def _pieces(
        self, pool: ThreadPoolExecutor, name: str, stored: Stored, target: Path
    ) -> tuple[Path, list[Future[None]]]:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        with part.open("wb") as stream:
            stream.truncate(stored.size)
        offsets = range(0, stored.size, _PIECE_BYTES)
        return part, [pool.submit(self._piece, name, part, offset, stored.size) for offset in offsets]

    def _piece(self, name: str, part: Path, offset: int, size: int) -> None:
        length = min(_PIECE_BYTES, size - offset)
        with self._explained(), self._store.open_input_file(f"{self._path}/{name}") as source:
            content = source.read_at(length, offset)
        if len(content) != length:
            raise WeightsError(f"`{self.uri}/{name}` was changed while it was fetched")
        with part.open("r+b") as stream:
            stream.seek(offset)
            stream.write(content)

    def _explained(self) -> AbstractContextManager[None]:
        return explained(self.uri, self._bucket)


def _stored(entry: Any) -> Stored:
    return Stored(entry.size, entry.mtime.timestamp() if entry.mtime else 0.0)


def _s3(bucket: str, anonymous: bool) -> Any:
    from pyarrow import fs

    # The variables that every other client of S3 looks at; Arrow's does not.
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if endpoint is None and region is None:
        region = fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(anonymous=anonymous, endpoint_override=endpoint, region=region)


def _gcs(anonymous: bool) -> Any:
    from pyarrow import fs

    return fs.GcsFileSystem(anonymous=anonymous, retry_time_limit=_PATIENCE)

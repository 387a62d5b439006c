"""What was found in each file in an earlier run, kept in one file and found again by content.

It cannot lie: an entry counts only for the same bytes under the same name, read by the same code, tables, libraries and
policies; what cannot be read back exactly is forgotten. It may be deleted at any time.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from reconciler.registry.folder import SourceFile
from reconciler.registry.generated import schemas_folder

_LIBRARIES = ("jsonschema", "msgspec", "pydantic", "pydantic_core", "referencing", "yaml")
_DISTRIBUTIONS = ("jsonschema-", "msgspec-", "pydantic-", "pydantic_core-", "pyyaml-", "referencing-")
_DIGEST_LENGTH = 64


class ResultCache:
    """The entries of one registry. Without a file it is always empty and never written. A result is what JSON can hold,
    or a value of the type `form`, which msgspec writes and reads.
    """

    def __init__(self, file: Path | None, form: Any = Any) -> None:
        self._file = file
        self._basis = ""
        self._known: Mapping[str, tuple[str, msgspec.Raw]] = {}
        self._kept: dict[str, Any] = {}
        self._changed = False
        self._decoder = msgspec.json.Decoder(form)

    def open(self, basis: bytes) -> None:
        """Read what is known on this basis, such as the content of the policies."""
        if self._file is not None:
            self._basis = hashlib.sha256(_code() + basis).hexdigest()
            self._known = _read(self._file, self._basis)

    def get(self, name: str, digest: str) -> Any:
        """The result for a file of that name and digest, as it was put; None where there is none."""
        found = self._known.get(name)
        if found is None or found[0] != digest:
            return None
        self._kept[name] = found
        return self._decoder.decode(found[1])

    def put(self, name: str, digest: str, result: Any) -> None:
        """Remember a result."""
        if self._file is not None:
            self._kept[name] = (digest, result)
            self._changed = True

    def save(self) -> None:
        """Write what was got or put since `open`, and nothing else. A folder that cannot be written is no trouble."""
        if self._file is None or not (self._changed or len(self._kept) != len(self._known)):
            return
        text = msgspec.json.encode((self._basis, self._kept))
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            ignore = self._file.with_name(".gitignore")
            if not ignore.exists():
                ignore.write_text("*\n", encoding="ascii")
            temporary.write_bytes(hashlib.sha256(text).hexdigest().encode() + text)
            temporary.replace(self._file)


def cache_file(directory: Path, root: Path, kind: str = "") -> Path:
    """The file in `directory` for one kind of results about the registry `root`."""
    name = hashlib.sha256(os.fsencode(os.path.abspath(root))).hexdigest()[:16]  # noqa: PTH100 (no link is followed)
    return directory / f"{name}{kind}.json"


def digest(file: SourceFile, content: bytes) -> str:
    """Stands for a file's name and content."""
    return hashlib.sha256(os.fsencode(file.stem) + b"\0" + content).hexdigest()


def _read(file: Path, basis: str) -> Mapping[str, tuple[str, msgspec.Raw]]:
    try:
        content = file.read_bytes()
    except OSError:
        return {}
    text = memoryview(content)[_DIGEST_LENGTH:]
    if hashlib.sha256(text).hexdigest().encode() != content[:_DIGEST_LENGTH]:
        return {}
    found_basis, entries = _FILE.decode(text)
    return entries if found_basis == basis else {}


_FILE = msgspec.json.Decoder(tuple[str, dict[str, tuple[str, msgspec.Raw]]])


def _code() -> bytes:
    """A digest of everything but the files themselves that decides what is found in them."""
    digest = hashlib.sha256(sys.version.encode())
    package = Path(__file__).parents[1]
    schemas = schemas_folder()
    folders = (package / "registry", package / "state")
    sources = [package / "diagnostics.py", *(path for folder in folders for path in sorted(folder.rglob("*.py")))]
    for path in (*sources, *sorted(schemas.glob("*-*.json"))):
        content = path.read_bytes()
        digest.update(b"%d %s\0" % (len(content), path.name.encode()))
        digest.update(content)
    for distribution in sorted(_distributions()):
        digest.update(distribution.encode())
    return digest.digest()


def _distributions() -> set[str]:
    """The installed versions of the libraries that decide, by the names of their folders of metadata."""
    folders = {Path(spec.origin).parents[1] for name in _LIBRARIES if (spec := find_spec(name)) and spec.origin}
    return {
        name
        for folder in folders
        for name in os.listdir(folder)  # noqa: PTH208 (a Path for each costs more than reading the folder)
        if name.endswith(".dist-info") and name.lower().startswith(_DISTRIBUTIONS)
    }

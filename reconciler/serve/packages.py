"""The code that the applications run, as content-addressed zip files.

Ray unpacks a package of its control store (`gcs://`) as it is into a folder on the Python path; only packages from
elsewhere lose a single top-level folder (`download_and_unpack_package` in `ray/_private/runtime_env/packaging.py`). So
the zip holds `runtime/__init__.py` and `runtime/<kind>/`, and each kind of application only its own files: a new
gateway never changes the URI, and so the code version, of an engine.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from reconciler.registry.cluster import Cluster
from reconciler.serve.errors import ServeError
from reconciler.state.desired import RuntimePackages

Kind = Literal["engine", "gateway"]

IN_IMAGE = "image"
"""In place of a URI in `runtime_packages`: the cluster's image has the code installed."""

_ROOT = "runtime"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time a zip can hold. Equal files have to give equal bytes."""


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file named after what is in it."""

    name: str
    content: bytes

    @property
    def uri(self) -> str:
        """How a `runtime_env` names it once it is uploaded."""
        return f"gcs://{self.name}"


def runtime_package(kind: Kind) -> Package:
    """The code of one kind of application. Raises `ServeError` when it is not installed beside the command line."""
    return zip_package(f"reconciler-{kind}", runtime_folder(), (kind,))


def resolve_packages(cluster: Cluster) -> tuple[RuntimePackages, tuple[Package, ...]]:
    """The URIs that the cluster's applications name, and what has to be uploaded for them."""
    named = cluster.runtime_packages or {}
    uploads = {kind: runtime_package(kind) for kind in _KINDS if kind not in named}
    uris = {kind: uploads[kind].uri if kind in uploads else _named_uri(named[kind]) for kind in _KINDS}
    return RuntimePackages(**uris), tuple(uploads.values())


def zip_package(prefix: str, folder: Path, subfolders: tuple[str, ...] = ()) -> Package:
    """A package of a Python package's `__init__.py` and the `.py` files below some of its subfolders, or of all its
    `.py` files. The same files give the same bytes anywhere, at any time."""
    files = sorted({*_sources(folder, subfolders)})
    digest = hashlib.sha256()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            name = f"{folder.name}/{file.relative_to(folder).as_posix()}"
            content = file.read_bytes()
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return Package(f"{prefix}-{digest.hexdigest()[:16]}.zip", buffer.getvalue())


def runtime_folder() -> Path:
    """Where the `runtime` package is. It is found, not imported: it needs Ray and vLLM."""
    spec = find_spec(_ROOT)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location)
        if all((folder / kind / "__init__.py").is_file() for kind in _KINDS):
            return folder
    raise ServeError(
        "cannot find the `runtime` package that runs in the cluster",
        "it is installed with this command line: install it again, or run it from the folder of its repository",
    )


_KINDS: tuple[Kind, ...] = ("engine", "gateway")


def _named_uri(named: str) -> str | None:
    return None if named == IN_IMAGE else named


def _sources(folder: Path, subfolders: tuple[str, ...]) -> Iterator[Path]:
    yield folder / "__init__.py"
    for root in [folder / name for name in subfolders] or [folder]:
        yield from root.rglob("*.py")

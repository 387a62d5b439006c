"""The code that the applications run, as content-addressed zip files.

Ray unpacks a package of its control store (`gcs://`) as it is into a folder on the Python path; only packages from
elsewhere lose a single top-level folder (`download_and_unpack_package` in `ray/_private/runtime_env/packaging.py`). So
the zip holds `runtime/__init__.py` and `runtime/<kind>/`, an engine's also `runtime/replica/`, and no other: a new
gateway never changes the URI, and so the code version, of an engine.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.serve.errors import ServeError
from reconciler.state.desired import DesiredState
from reconciler.state.runtime_packages import RuntimePackages

if TYPE_CHECKING:
    from reconciler.registry.cluster import Cluster

KINDS = tuple(field.name for field in fields(RuntimePackages))
"""The kinds of applications: each is a folder of `runtime`, a package and a key of `runtime_packages`."""

IN_IMAGE = "image"
"""In place of a URI in `runtime_packages`: the cluster's image has the code installed."""

_ROOT = "runtime"
_GATEWAY = "gateway"
"""The one kind that is no engine."""
_SHARED = "replica"
"""The folder that all engines have."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time a zip can hold. Equal files have to give equal bytes."""


@dataclass(frozen=True, slots=True)
class Package:
    """A zip file named after what is in it."""

    name: str
    files: tuple[tuple[str, bytes], ...]
    """What it holds, by the names there."""

    @property
    def uri(self) -> str:
        """How a `runtime_env` names it once it is uploaded."""
        return f"gcs://{self.name}"

    @property
    def content(self) -> bytes:
        """The zip file itself. It is made when somebody asks: most runs only need the name."""
        import zipfile  # Not at the top, for the same reason.

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, content in self.files:
                info = zipfile.ZipInfo(name, _EPOCH)
                info.create_system = 3
                info.external_attr = 0o100644 << 16
                archive.writestr(info, content)
        return buffer.getvalue()


def runtime_package(kind: str) -> Package:
    """The code of one kind of application. Raises `ServeError` when it is not installed beside the command line."""
    return zip_package(f"reconciler-{kind}", runtime_folder(), package_folders(kind))


def package_folders(kind: str) -> tuple[str, ...]:
    """The folders of `runtime` that an application of this kind runs."""
    return (kind,) if kind == _GATEWAY else (kind, _SHARED)


def resolve_packages(cluster: "Cluster") -> tuple[RuntimePackages, tuple[Package, ...]]:
    """The URIs that the cluster's applications may name, and the packages of those that come from here."""
    named = cluster.runtime_packages or {}
    uploads = {kind: runtime_package(kind) for kind in KINDS if kind not in named}
    uris = {kind: uploads[kind].uri if kind in uploads else _named_uri(named[kind]) for kind in KINDS}
    return RuntimePackages(**uris), tuple(uploads.values())


def needed(packages: Iterable[Package], desired: DesiredState) -> Iterator[Package]:
    """Those that an application names: a cluster without a kind of engine gets none of its code."""
    texts = [entry.application.text for entry in desired.applications]
    return (package for package in packages if any(package.uri.encode() in text for text in texts))


def zip_package(prefix: str, folder: Path, subfolders: tuple[str, ...] = ()) -> Package:
    """A package of a Python package's `__init__.py` and the `.py` files below some of its subfolders, or of all its
    `.py` files. The same files give the same bytes anywhere, at any time."""
    files = []
    digest = hashlib.sha256()
    for file in sorted({*_sources(folder, subfolders)}):
        name, content = f"{folder.name}/{file.relative_to(folder).as_posix()}", file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        files.append((name, content))
    return Package(f"{prefix}-{digest.hexdigest()[:16]}.zip", tuple(files))


def runtime_folder() -> Path:
    """Where the `runtime` package is. It is found, not imported: it needs Ray and vLLM."""
    spec = find_spec(_ROOT)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location)
        if all((folder / kind / "__init__.py").is_file() for kind in KINDS):
            return folder
    raise ServeError(
        "cannot find the `runtime` package that runs in the cluster",
        "it is installed with this command line: install it again, or run it from the folder of its repository",
    )


def _named_uri(named: str) -> str | None:
    return None if named == IN_IMAGE else named


def _sources(folder: Path, subfolders: tuple[str, ...]) -> Iterator[Path]:
    yield folder / "__init__.py"
    for root in [folder / name for name in subfolders] or [folder]:
        yield from root.rglob("*.py")

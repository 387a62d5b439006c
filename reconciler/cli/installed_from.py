"""Which commit of which repository this reconciler was installed from."""

import json
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Source:
    """A git repository and one commit of it."""

    address: str
    commit: str


def installed_from() -> Source | None:
    """What pip wrote down (PEP 610); None for what was not installed from a git repository."""
    try:
        text = distribution("reconciler").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    return source_of(text or "{}")


def source_of(direct_url: str) -> Source | None:
    """The repository and commit in the text of a `direct_url.json`; None where it names none that others can reach, or
    where the address holds a user or a token."""
    found = json.loads(direct_url)
    address, commit = str(found.get("url", "")), str(found.get("vcs_info", {}).get("commit_id", ""))
    if address.startswith("https://") and "@" not in address and _COMMIT.fullmatch(commit):
        return Source(address.removesuffix(".git"), commit)
    return None

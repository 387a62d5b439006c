"""Who applies what, from where and when: what the gateway remembers of the last apply."""

import getpass
import socket
from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler import __version__
from reconciler.plan.plan import Source
from reconciler.state.provenance import MAX_TEXT, Record

_ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")
"""Variables in which the big CI systems name the person that started a job."""


def provenance(source: Source, variables: Mapping[str, str]) -> Record:
    """The record of an apply that starts now."""
    return Record(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        who=_who(variables)[:MAX_TEXT],
        commit=source.commit,
        tree=source.tree,
        dirty=source.dirty,
        version=__version__,
    )


def _who(variables: Mapping[str, str]) -> str:
    for name in _ACTORS:
        if variables.get(name):
            return variables[name]
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a number that no user has.
        user = "unknown"
    return f"{user}@{socket.gethostname()}"

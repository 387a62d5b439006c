"""Lines from a replica's log or a status message as they may be shown: trimmed, and without secrets."""

import re
from collections.abc import Iterator

from reconciler.registry.mask import mask

WIDTH = 300

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PREFIX = re.compile(
    r"^\s*(?:\((?:EngineCore|APIServer|Worker|ServeReplica|pid)[^)]*\)\s*"
    r"|(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\]\s*)+"
)
"""What vLLM and Ray write before the line of a worker process, and vLLM's logger before every line of a traceback."""
_MARK = re.compile(r"^:(?:job_id|actor_name|task_name):")
"""Ray's own lines in the output of a process."""


def lines_of(text: str) -> Iterator[str]:
    """The lines that say something: without colours, worker prefixes, secrets, surrounding space and excess length."""
    for line in text.splitlines():
        plain = _PREFIX.sub("", _ANSI.sub("", line)).strip()
        if plain and not _MARK.match(plain):
            yield mask(plain)[:WIDTH]


def first_line(text: str) -> str:
    """The first line that says something; empty for an empty text."""
    return next(lines_of(text), "")

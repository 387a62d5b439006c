"""Lines from a replica's log or a status message as they may be shown: trimmed, and without secrets."""

import re
from collections.abc import Iterator

from reconciler.registry.secret import find_secrets, is_secret_name

HIDDEN = "(hidden)"
WIDTH = 300

_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_ASSIGNED = re.compile(r"""(?P<name>[A-Za-z_][\w-]*)(?P<sign>["']?\s*[=:]\s*["']?)(?P<value>[^\s"',;&(){}\[\]]{4,})""")
_WORD = re.compile(r"""[^\s"',;]+""")
_KEY_BLOCK = re.compile(r"^[A-Za-z0-9+/=]{50,}$")
_HUGGING_FACE = re.compile(r"\bhf_[A-Za-z0-9]{6,}")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PREFIX = re.compile(
    r"^\s*(?:\((?:EngineCore|APIServer|Worker|ServeReplica|pid)[^)]*\)\s*"
    r"|(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\]\s*)+"
)
"""What vLLM and Ray write before the line of a worker process, and vLLM's logger before every line of a traceback."""
_MARK = re.compile(r"^:(?:job_id|actor_name|task_name):")
"""Ray's own lines in the output of a process."""


def mask(text: str) -> str:
    """The text without anything that looks like a secret: token shapes, bearer values, values of secret names."""
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _ASSIGNED.sub(_mask_assigned, text)
    for start in sorted({start for start, _ in find_secrets(text)}, reverse=True):
        text = text[:start] + _WORD.sub(HIDDEN, text[start:], count=1)
    return _KEY_BLOCK.sub(HIDDEN, _HUGGING_FACE.sub(HIDDEN, text))


def _mask_assigned(match: re.Match[str]) -> str:
    if not is_secret_name(match["name"]) or match["value"].startswith("$"):
        return match[0]
    return f"{match['name']}{match['sign']}{HIDDEN}"


def lines_of(text: str) -> Iterator[str]:
    """The lines that say something: without colours, worker prefixes, secrets, surrounding space and excess length."""
    for line in text.splitlines():
        plain = _PREFIX.sub("", _ANSI.sub("", line)).strip()
        if plain and not _MARK.match(plain):
            yield mask(plain)[:WIDTH]


def first_line(text: str) -> str:
    """The first line that says something; empty for an empty text."""
    return next(lines_of(text), "")

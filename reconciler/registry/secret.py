"""What gives a secret away: the name of its key, or the shape of its value."""

import re
from collections.abc import Iterator
from itertools import pairwise

_KINDS = {
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{20,}",
    "an API key (sk-...)": r"\bsk-[A-Za-z0-9_-]{20,}",
    "an AWS access key id": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{20,}",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{35}",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a password in a URL": r"://[^\s/:@$\"']+:[^\s/@$\"']+@",
}

_SECRET_WORDS = frozenset(
    {"token", "secret", "password", "passwd", "passphrase", "credential", "credentials", "apikey"}
)
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("auth", "key")})
# Where a secret is, and the special tokens of a tokenizer.
_HARMLESS_WORDS = frozenset(
    {"path", "file", "dir", "url", "bos", "eos", "pad", "unk", "sep", "cls", "mask", "image", "audio", "video"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class _Shapes:
    """The shapes of well-known tokens as one pattern, so that a text is read once."""

    def __init__(self, kinds: dict[str, str]) -> None:
        self._names = list(kinds)
        self._pattern = re.compile("|".join(f"({pattern})" for pattern in kinds.values()))

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Everything in the text that looks like a token."""
        return self._pattern.finditer(text)

    def kind(self, match: re.Match[str]) -> str:
        """What a match looks like, in words."""
        return self._names[(match.lastindex or 1) - 1]


SECRET_SHAPES = _Shapes(_KINDS)
"""Finds well-known tokens in a text."""


def is_secret_name(name: str) -> bool:
    """Whether a key so named holds a secret: `HF_TOKEN`, `apiKey`, `db_password`; not `max_tokens`, `TOKEN_FILE`."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not _HARMLESS_WORDS.isdisjoint(words):
        return False
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


def is_secret_path(path: tuple[str | int, ...]) -> bool:
    """Whether the value at this path may be a secret, so that no message shows it."""
    return any(isinstance(key, str) and (key == "env_vars" or is_secret_name(key)) for key in path)

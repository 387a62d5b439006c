"""What gives a secret away: the name of its key, or the shape of its value."""

import re
from itertools import pairwise

_SHAPES: tuple[tuple[str, str, str], ...] = (
    ("hf_", "a Hugging Face token", r"\bhf_[A-Za-z0-9]{20,}"),
    ("sk-", "an API key (sk-...)", r"\bsk-[A-Za-z0-9_-]{20,}"),
    ("AKIA", "an AWS access key id", r"\bAKIA[0-9A-Z]{16}\b"),
    ("ASIA", "an AWS access key id", r"\bASIA[0-9A-Z]{16}\b"),
    ("gh", "a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
    ("github_pat_", "a GitHub token", r"\bgithub_pat_[A-Za-z0-9_]{20,}"),
    ("glpat-", "a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("xox", "a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("AIza", "a Google API key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("eyJ", "a JSON web token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."),
    ("PRIVATE KEY", "a private key", r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"),
    ("@", "a password in a URL", r"://[^\s/:@$\"']{1,200}:[^\s/@$\"']{1,200}@"),
)
"""A text that the token must contain, what the token is, and its shape."""

_SECRET_WORDS = frozenset(
    {"token", "secret", "password", "passwd", "passphrase", "credential", "credentials", "apikey", "authorization"}
)
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("auth", "key")})
# Where a secret is, and the tokens of a tokenizer.
_HARMLESS_WORDS = frozenset(
    {"path", "file", "dir", "url"}
    | {"ids", "bos", "eos", "pad", "unk", "sep", "cls", "mask", "stop", "image", "audio", "video"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def find_secrets(text: str) -> list[tuple[int, str]]:
    """Where something in the text looks like a well-known token, and like which."""
    # Looking for the mark first is a hundred times faster than looking for the pattern, and few patterns get compiled.
    return [
        (match.start(), kind) for mark, kind, pattern in _SHAPES if mark in text for match in re.finditer(pattern, text)
    ]


def is_secret_name(name: str) -> bool:
    """Whether a key so named holds a secret: `HF_TOKEN`, `apiKey`, `db_password`; not `max_tokens`, `TOKEN_FILE`."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not _HARMLESS_WORDS.isdisjoint(words):
        return False
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


def is_secret_path(path: tuple[str | int, ...]) -> bool:
    """Whether the value at this path may be a secret, so that no message shows it."""
    return any(isinstance(key, str) and (key == "env_vars" or is_secret_name(key)) for key in path)

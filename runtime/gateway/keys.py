"""Who may ask for which model: bearer keys, of which the configuration holds only digests."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from runtime.gateway.errors import forbidden, unauthorized
from runtime.gateway.incoming import Headers, header

_BEARER = b"bearer "


@dataclass(frozen=True, slots=True)
class Key:
    """One client's leave."""

    name: str
    digest: str
    """SHA-256 of the key, in hexadecimal."""
    models: tuple[str, ...] = ("*",)
    """Ids of the models it may ask for, and patterns with `*` and `?`."""

    def allows(self, model_id: str) -> bool:
        """Whether it may ask for the model."""
        return any(fnmatchcase(model_id, pattern) for pattern in self.models)

    def require_all(self) -> None:
        """Raises GatewayError, 403, when there are models that it may not ask for."""
        if "*" not in self.models:
            raise forbidden("This key may not ask about all models")


ANYBODY = Key("", "")
"""Where no key is asked for."""


class Keys:
    """All keys. Immutable."""

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        """Without any key everybody may ask for everything."""
        self._keys = tuple(keys)

    @classmethod
    def parse(cls, entries: Mapping[str, Mapping[str, Any]]) -> "Keys":
        """The keys in the gateway's `user_config`, by name.

        Raises:
            KeyError: one has no digest, or does not say which models it is for.
        """
        return cls(Key(name, entry["sha256"], tuple(entry["models"])) for name, entry in entries.items())

    def find(self, headers: Headers) -> Key:
        """Whose request it is.

        Raises:
            GatewayError: 401, without a key, or with one that is not known.
        """
        if not self._keys:
            return ANYBODY
        given = _given(headers)
        if given is None:
            raise unauthorized("Send a key, as `Authorization: Bearer KEY`")
        digest = sha256(given).hexdigest()
        # Each is compared, and each in the same time: how long it takes says nothing about any of them.
        found = [key for key in self._keys if hmac.compare_digest(digest, key.digest)]
        if not found:
            raise unauthorized("This key is not known here")
        return found[0]


def _given(headers: Headers) -> bytes | None:
    """The key, as OpenAI's clients send it, or as Anthropic's do."""
    said = header(headers, b"authorization")
    if said is not None and said[: len(_BEARER)].lower() == _BEARER:
        return said[len(_BEARER) :].strip() or None
    return header(headers, b"x-api-key") or None

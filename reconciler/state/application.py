"""One Ray Serve application as plain data, the same for desired and live."""

from collections.abc import Mapping
from typing import Any

import msgspec

from reconciler.state.json_value import JsonValue, canonical_bytes, canonical_json, digest_of, parse_json

OWNER_ARG = "owner"
"""The key in `args` that names the registry an application belongs to. A constant, so it never causes a restart."""


class Application:
    """One application as `PUT /api/serve/applications/` takes it (Ray Serve's `ServeApplicationSchema`). Immutable.

    It is made from a config or from JSON; whichever it was not made from is worked out when somebody asks. Thousands of
    applications are compared by their JSON, and few of them are ever taken apart.
    """

    __slots__ = ("_config", "_excerpt", "_name", "_owner", "_submitted", "_text")

    def __init__(self, config: Mapping[str, JsonValue]) -> None:
        self._config: Mapping[str, JsonValue] | None = config
        self._name = str(config["name"])
        self._owner = _owner(config)
        self._text: bytes | None = None
        self._submitted = b""
        self._excerpt: tuple[object, Mapping[str, Any]] | None = None

    @classmethod
    def compiled(cls, name: str, owner: str, text: bytes) -> "Application":
        """The application of a canonical JSON text, of which name and owner are known."""
        found = cls.__new__(cls)
        found._config, found._name, found._owner, found._text, found._submitted = None, name, owner, text, text
        found._excerpt = None
        return found

    @classmethod
    def submitted(cls, text: bytes) -> "Application | None":
        """The application of a JSON text that spells numbers in its own way; None where it is no config."""
        value, canonical_text = canonical_json(text)
        if not isinstance(value, dict) or "name" not in value:
            return None
        found = cls.__new__(cls)
        found._config, found._name, found._owner = None, str(value["name"]), _owner(value)
        found._text, found._submitted, found._excerpt = canonical_text, text, None
        return found

    @property
    def config(self) -> Mapping[str, JsonValue]:
        """The whole entry including `name`, in the spelling it was made with; never mutated."""
        if self._config is None:
            self._config = parse_json(self._submitted)
        return self._config

    @property
    def name(self) -> str:
        """The application's name, unique on a cluster."""
        return self._name

    @property
    def owner(self) -> str | None:
        """The registry that owns it, or None for somebody else's."""
        return self._owner

    @property
    def text(self) -> bytes:
        """The config as canonical JSON: equal for configs that mean the same to Ray Serve."""
        if self._text is None:
            self._text = canonical_bytes(self.config)
        return self._text

    @property
    def deployments(self) -> Mapping[str, Mapping[str, Any]]:
        """The `deployments[]` overrides by deployment name."""
        return {entry["name"]: entry for entry in self.config.get("deployments") or ()}

    def excerpt(self, decoder: "msgspec.json.Decoder[Any]") -> Mapping[str, Any]:
        """The config as far as the TypedDict of `decoder` says, numbers in canonical form; the whole config where
        somebody gave it another shape, or where no text is there to read it from."""
        if self._text is None:
            return self.config
        if self._excerpt is None or self._excerpt[0] is not decoder:
            try:
                self._excerpt = (decoder, decoder.decode(self.text))
            except msgspec.DecodeError:
                return self.config
        return self._excerpt[1]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the config, equal for configs that mean the same to Ray Serve."""
        return digest_of(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Application) and self.config == other.config

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Application({self.name!r})"


def _owner(config: Mapping[str, JsonValue]) -> str | None:
    args = config.get("args")
    owner = args.get(OWNER_ARG) if isinstance(args, Mapping) else None
    return owner if isinstance(owner, str) else None

"""One Ray Serve application as plain data, the same for desired and live."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.state.json_value import JsonValue, digest

OWNER_ARG = "owner"
"""The key in `args` that names the registry an application belongs to. A constant, so it never causes a restart."""


@dataclass(frozen=True, slots=True)
class Application:
    """One application as `PUT /api/serve/applications/` takes it (Ray Serve's `ServeApplicationSchema`).

    `config` is the whole entry including `name`; it is never mutated.
    """

    config: Mapping[str, JsonValue]

    @property
    def name(self) -> str:
        """The application's name, unique on a cluster."""
        return str(self.config["name"])

    @property
    def owner(self) -> str | None:
        """The registry that owns it, or None for somebody else's."""
        args = self.config.get("args")
        owner = args.get(OWNER_ARG) if isinstance(args, Mapping) else None
        return owner if isinstance(owner, str) else None

    @property
    def deployments(self) -> Mapping[str, Mapping[str, Any]]:
        """The `deployments[]` overrides by deployment name."""
        return {entry["name"]: entry for entry in self.config.get("deployments") or ()}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the config, equal for configs that mean the same to Ray Serve."""
        return digest(self.config)

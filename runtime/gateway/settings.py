"""Everything that reaches the gateway without a restart: its `user_config`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runtime.gateway.keys import Keys
from runtime.gateway.limits import Limits
from runtime.gateway.table import RoutingTable


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds until the next change."""

    table: RoutingTable = RoutingTable({})  # noqa: RUF009
    keys: Keys = Keys()  # noqa: RUF009
    limits: Limits = Limits()  # noqa: RUF009

    @classmethod
    def parse(cls, user_config: Mapping[str, Any]) -> "Settings":
        """The settings in a `user_config`; keys it does not know are for others to read.

        Raises:
            KeyError: a route lacks its application or its deployment, or a key its digest or its models.
            TypeError: there is no such limit.
        """
        return cls(
            RoutingTable.parse(user_config.get("models") or {}),
            Keys.parse(user_config.get("keys") or {}),
            Limits.parse(user_config.get("limits") or {}),
        )

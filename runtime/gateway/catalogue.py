"""Which models there are for a client: those of the table, and the adapters that engines have found."""

from runtime.gateway.adapters import FoundAdapters
from runtime.gateway.errors import model_not_found
from runtime.gateway.keys import Key
from runtime.gateway.route import Route
from runtime.gateway.table import RoutingTable


class Catalogue:
    """What `/v1/models` is about."""

    def __init__(self, found: FoundAdapters) -> None:
        """`found` are the adapters that the table does not name."""
        self._found = found

    async def all(self, table: RoutingTable, key: Key) -> list[Route]:
        """All that a key may ask for."""
        named = table.allowed(key)
        known = {route.model_id for route in named}
        found = await self._found.below(table.routes.values())
        return [*named, *(route for route in found if route.model_id not in known and key.allows(route.model_id))]

    async def one(self, model: str, table: RoutingTable, key: Key) -> Route:
        """One of them, by id or alias.

        Raises:
            GatewayError: there is no such model.
        """
        route = table.find(model, key)
        if not route.is_named:
            listed = await self.all(table, key)
            if all(each.model_id != route.model_id for each in listed):
                raise model_not_found(model, [each.model_id for each in listed])
        return route

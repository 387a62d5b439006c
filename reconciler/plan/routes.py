"""The gateway's routing table as it is live, and the one a plan may write.

The table in the gateway's `user_config` is also the cluster's memory of a model whose file is gone: its id and whether
it is protected.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from reconciler.state.application import Application
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.json_value import JsonValue, canonical
from reconciler.state.live import LiveApplication
from reconciler.state.names import GATEWAY_APPLICATION, GATEWAY_DEPLOYMENT

Routes = Mapping[str, Mapping[str, JsonValue]]
"""A model's entry by model id."""


def routes_of(application: Application | None) -> Routes:
    """The routing table in a gateway's config, without entries that are not of our making."""
    if application is None:
        return {}
    override = application.deployments.get(GATEWAY_DEPLOYMENT, {})
    user_config = override.get("user_config")
    models = user_config.get("models") if isinstance(user_config, dict) else None
    return {
        model_id: route
        for model_id, route in (models.items() if isinstance(models, dict) else ())
        if isinstance(route, dict)
    }


def live_routes(owned: Collection[LiveApplication]) -> Routes:
    """The routing table of our gateway, empty when it is not there."""
    return next((routes_of(entry.application) for entry in owned if entry.name == GATEWAY_APPLICATION), {})


def by_application(routes: Routes) -> dict[str, tuple[str, Mapping[str, JsonValue]]]:
    """The model id and the entry by application name."""
    return {
        route["application"]: (model_id, route)
        for model_id, route in routes.items()
        if isinstance(route.get("application"), str)
    }


def gateway_beside_holds(
    desired: DesiredState, live: Routes, held: Collection[str], present: Collection[str]
) -> DesiredApplication:
    """The gateway with a routing table that tells the truth when the applications in `held` stay as they are.

    A held model keeps the entry it has. Without one it gets the wished entry if its application is there (`present`),
    and none if it is not.
    """
    gateway = next(entry for entry in desired.applications if entry.name == GATEWAY_APPLICATION)
    if not held:
        return gateway
    wished = routes_of(gateway.application)
    kept = {model_id: route for name, (model_id, route) in by_application(live).items() if name in held}
    table = {
        model_id: route
        for model_id, route in wished.items()
        if route["application"] not in held or route["application"] in present
    }
    return replace(gateway, application=with_table(gateway.application, {**table, **kept}))


def with_table(application: Application, table: Mapping[str, JsonValue]) -> Application:
    """A gateway with this routing table, and as it was otherwise."""
    # Not even the spelling of a number is touched: it is part of the code version.
    deployments = [
        {**entry, "user_config": {**(entry.get("user_config") or {}), "models": canonical(dict(table))}}
        if entry["name"] == GATEWAY_DEPLOYMENT
        else entry
        for entry in application.config["deployments"]
    ]
    return Application({**application.config, "deployments": deployments})

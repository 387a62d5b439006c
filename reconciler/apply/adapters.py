"""Which adapters an action brings: each is proven by a real answer, as its model is."""

from collections.abc import Mapping

from reconciler.plan.change import Change
from reconciler.state.adapters import SETTINGS_KEY
from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue, same


def new_adapters(change: Change, *, all_of_them: bool) -> tuple[str, ...]:
    """Ids of the adapters that are new after a change or come from elsewhere, sorted; `all_of_them` where the replicas
    are new as well."""
    before, after = _adapters(change.before), _adapters(change.after)
    return tuple(sorted(name for name, source in after.items() if all_of_them or not same(before.get(name), source)))


def _adapters(application: Application | None) -> Mapping[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for deployment in application.deployments.values() if application else ():
        settings = deployment.get("user_config")
        adapters = settings.get(SETTINGS_KEY) if isinstance(settings, dict) else None
        found |= adapters if isinstance(adapters, dict) else {}
    return found

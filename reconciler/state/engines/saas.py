"""`SaaSEngine`: a small application that passes requests on to a service outside the cluster.

What the service is, and everything about how it is asked, is in `user_config`, which running replicas take over: only
other resources or another environment restart them.
"""

from reconciler.registry.saas import SERVICES
from reconciler.registry.spec import ModelSpec
from reconciler.state.capacity import Bundles
from reconciler.state.engines.engine import Engine, actor_options
from reconciler.state.json_value import JsonValue


def _args(spec: ModelSpec, bundles: Bundles) -> dict[str, JsonValue]:
    return {"model_id": spec.model_id, "ray_actor_options": actor_options(bundles)}


def _user_config(spec: ModelSpec) -> dict[str, JsonValue]:
    saas = spec.engine_config.saas
    if saas is None:
        return {}
    service = SERVICES[saas.provider]
    optional = {
        "base_url": saas.base_url or service.base_url,
        "api_key": saas.api_key,
        "headers": saas.headers,
        "options": saas.options,
        "budget": saas.budget.model_dump(exclude_none=True),
        "prices": None if saas.prices is None else saas.prices.model_dump(),
    }
    return {
        "protocol": service.protocol,
        "model": service.prefix + saas.model,
        "timeout_s": saas.timeout_s,
        "idle_timeout_s": saas.idle_timeout_s,
        "retries": saas.retries,
        **{key: value for key, value in optional.items() if value},
    }


ENGINE = Engine(package="saas", args=_args, user_config=_user_config)
"""The type as the compiler takes it."""

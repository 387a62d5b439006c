"""What we override in Ray's classes is still there: renamed in another version, it would be overridden in vain."""

import inspect

import pytest

pytestmark = pytest.mark.vllm


@pytest.mark.filterwarnings("ignore")
def test_every_override_has_something_to_override() -> None:
    from runtime.engine.server import EngineServer
    from runtime.engine.startup import Startup
    from runtime.engine.vllm import Engine
    from runtime.gateway.ingress import Gateway

    own = {"_open"}
    for ours in (EngineServer, Engine, Startup, Gateway):
        base = ours.__mro__[1]
        overridden = [name for name in vars(ours) if not name.startswith("__") and name not in own]
        overridden.remove("reconfigure") if ours is Gateway else None
        assert overridden
        for name in overridden:
            assert hasattr(base, name), f"{ours.__name__}.{name}"


@pytest.mark.filterwarnings("ignore")
def test_overridden_methods_take_what_ray_passes() -> None:
    from runtime.engine.vllm import Engine
    from runtime.gateway.ingress import Gateway

    for ours, name in ((Engine, "_start_async_llm_engine"), (Gateway, "_get_response"), (Gateway, "model_data")):
        base = getattr(ours.__mro__[1], name)
        assert list(inspect.signature(getattr(ours, name)).parameters) == list(inspect.signature(base).parameters)

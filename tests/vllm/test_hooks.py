"""What we override in Ray's classes is still there: renamed in another version, it would be overridden in vain."""

import inspect

import pytest

pytestmark = pytest.mark.vllm


@pytest.mark.filterwarnings("ignore")
def test_every_override_has_something_to_override() -> None:
    from runtime.engine.server import EngineServer
    from runtime.engine.startup import Startup
    from runtime.engine.vllm import Engine

    own = {
        EngineServer: {
            *("about", "adapters", "answer", "reconfigure", "work"),
            *("_fetch_adapter", "_have_adapter"),
        },
        Engine: {"decode", "load_adapter", "unload_adapter"},
        Startup: {"revision", "weights"},
    }
    for ours, added in own.items():
        base = ours.__mro__[1]
        assert added <= vars(ours).keys()
        overridden = [name for name in vars(ours) if not name.startswith("__") and name not in added]
        assert overridden
        for name in overridden:
            assert hasattr(base, name), f"{ours.__name__}.{name}"


@pytest.mark.filterwarnings("ignore")
def test_overridden_methods_take_what_ray_passes() -> None:
    from runtime.engine.vllm import Engine

    base = Engine.__mro__[1]
    for name in ("start", "_start_async_llm_engine"):
        ours = inspect.signature(getattr(Engine, name)).parameters
        assert list(ours) == list(inspect.signature(getattr(base, name)).parameters)


@pytest.mark.filterwarnings("ignore")
def test_the_application_of_vllm_is_made_by_a_method_that_is_still_there() -> None:
    from runtime.engine.server import EngineServer

    assert inspect.iscoroutinefunction(EngineServer.__serve_build_asgi_app__)


@pytest.mark.filterwarnings("ignore")
def test_prompts_are_rendered_where_they_are_counted() -> None:
    from vllm.entrypoints.openai.responses.serving import OpenAIServingResponses
    from vllm.renderers.online_renderer import OnlineRenderer

    from runtime.engine.terms import _RENDERERS

    classes = {"online_renderer": OnlineRenderer, "openai_serving_responses": OpenAIServingResponses}
    for name, method in _RENDERERS:
        assert callable(getattr(classes[name], method))

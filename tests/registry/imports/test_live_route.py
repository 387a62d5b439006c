"""What the gateway knows of a model becomes a file that makes it know the same again."""

from typing import Any

import pytest

from reconciler.diagnostics import Position
from reconciler.registry.dialects.translation import Translation
from reconciler.registry.imports.live_route import with_route
from reconciler.registry.spec import ModelSpec
from reconciler.state.compile import route
from tests.plan.test_gateway_settings import MODEL_SETTINGS
from tests.support.states import model


@pytest.mark.parametrize("setting", MODEL_SETTINGS)
def test_a_route_becomes_the_settings_that_make_it(setting: str) -> None:
    known: Any = route(model("org/a", **MODEL_SETTINGS[setting]).spec)
    bare = Translation("live", {"engine_config": {"model_id": "org/a"}}, {}, (), ())
    found = with_route(bare, known, Position("live"))
    assert route(ModelSpec.model_validate(found.value)) == known

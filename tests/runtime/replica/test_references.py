"""`${env:NAME}` is resolved where the config is read, and only there."""

import pytest

from runtime.replica.references import resolve


def test_references_are_replaced_at_any_depth_and_nothing_else_is_touched() -> None:
    config = {
        "model_loading_config": {"model_source": "${env:MODELS}/tiny"},
        "engine_kwargs": {"enforce_eager": True, "max_model_len": 512, "hf_overrides": None},
        "placement_group_config": {"bundles": [{"CPU": 0.5}, {"note": "${env:A}-${env:B}"}]},
    }
    resolved = resolve(config, {"MODELS": "/models", "A": "1", "B": "2"})
    assert resolved == {
        "model_loading_config": {"model_source": "/models/tiny"},
        "engine_kwargs": {"enforce_eager": True, "max_model_len": 512, "hf_overrides": None},
        "placement_group_config": {"bundles": [{"CPU": 0.5}, {"note": "1-2"}]},
    }
    assert config["model_loading_config"] == {"model_source": "${env:MODELS}/tiny"}


@pytest.mark.parametrize("text", ["$MODELS", "${MODELS}", "{env:MODELS}", "${env:}", "${env:2FAST}", "${ENV:MODELS}"])
def test_what_is_not_a_reference_stays(text: str) -> None:
    assert resolve(text, {"MODELS": "/models"}) == text


def test_the_value_of_a_variable_is_not_resolved_again() -> None:
    assert resolve("${env:A}", {"A": "${env:B}", "B": "secret"}) == "${env:B}"


def test_an_empty_variable_is_a_value() -> None:
    assert resolve("x${env:A}", {"A": ""}) == "x"


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"model_loading_config": {"model_source": "${env:GONE}"}}, "llm_config.model_loading_config.model_source"),
        ({"bundles": [{}, {"node": "${env:GONE}"}]}, "llm_config.bundles[1].node"),
    ],
)
def test_a_missing_variable_is_named_with_the_key_that_uses_it(config: dict[str, object], key: str) -> None:
    with pytest.raises(LookupError, match="`GONE` is not set on this node") as raised:
        resolve(config, {})
    assert f"`{key}`" in str(raised.value)

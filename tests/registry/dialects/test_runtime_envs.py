import pytest

from reconciler.registry.dialects.runtime_envs import translate_runtime_env
from reconciler.registry.dialects.translation import Fate, Translation
from tests.support.dialects import fates, rules, translator


def environment(block: str) -> Translation:
    found = translator(f"runtime_env: {{{block}}}")
    translate_runtime_env(found, ("runtime_env",))
    return found.finish()


def test_variables_and_packages_are_carried() -> None:
    translation = environment("env_vars: {A: '1'}, pip: [einops]")
    assert translation.value == {"engine_config": {"runtime_env": {"env_vars": {"A": "1"}, "pip": ["einops"]}}}


def test_those_of_engines_that_are_gone_are_obsolete() -> None:
    translation = environment(
        "env_vars: {CMAKE_ARGS: a, FORCE_CMAKE: '1', ANYSCALE_VLLM_X: a}, pip: [deepspeed==0.9.2]"
    )
    assert translation.value == {}
    assert set(fates(translation).values()) == {Fate.OBSOLETE}


def test_the_other_packages_of_a_list_are_carried() -> None:
    translation = environment("pip: [deepspeed==0.9.2, einops]")
    assert translation.value["engine_config"]["runtime_env"] == {"pip": ["einops"]}


@pytest.mark.parametrize("block", ["working_dir: .", "pip: {packages: [a]}", "conda: env"])
def test_what_a_model_file_cannot_hold_is_an_error(block: str) -> None:
    assert rules(environment(block)) == ["runtime-env-part"]


def test_what_holds_nothing_changes_nothing() -> None:
    assert set(fates(environment("pip: null, env_vars: {}")).values()) == {Fate.METADATA}

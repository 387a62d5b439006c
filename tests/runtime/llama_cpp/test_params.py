"""llama.cpp's parameters from a config."""

from typing import Any

import pytest
import xllamacpp

from reconciler.registry.tables import LLAMA_CPP_VERSION, llama_cpp_parameters
from runtime.llama_cpp.params import choice, choices, common_params


def params(cpus: float = 4, gpus: float = 0, **config: Any) -> Any:
    given = {"params": config.pop("params", {}), **config}
    return common_params(given, "org/chat", "/models/chat.gguf", cpus=cpus, gpus=gpus, key="k")


def test_the_context_is_that_of_all_slots() -> None:
    found = params(max_total_tokens=1000, params={"n_parallel": 3})
    assert (found.n_ctx, found.n_parallel, found.kv_unified) == (3000, 3, False)
    assert params(max_total_tokens=1000).n_ctx == 4000


def test_the_model_s_own_context_is_one_pool_for_all_slots() -> None:
    found = params()
    assert (found.n_ctx, found.kv_unified) == (0, True)


def test_threads_and_layers_are_what_the_replica_has() -> None:
    assert params().cpuparams.n_threads == 4
    assert params(cpus=0.5).cpuparams.n_threads == -1
    assert params().n_gpu_layers == 0
    assert params(gpus=1).n_gpu_layers == -1
    assert params(params={"cpuparams": {"n_threads": 2}}, gpus=1).cpuparams.n_threads == 2
    assert params(params={"n_gpu_layers": 9}, gpus=1).n_gpu_layers == 9


def test_it_listens_to_this_node_alone_and_to_whoever_has_the_key() -> None:
    found = params(params={"n_batch": 7})
    assert (found.hostnames, found.api_keys, found.port, found.n_batch) == (["127.0.0.1"], ["k"], 0, 7)
    assert (found.model.path, found.model_alias) == ("/models/chat.gguf", {"org/chat"})


def test_choices_are_written_by_what_tells_them_apart() -> None:
    given = {
        "cache_type_k": "q8_0",
        "split_mode": "ROW",
        "tensor_split": [1, 3],
        "speculative": {"types": ["ngram_mod"]},
    }
    found = params(params=given, gpus=2)
    assert found.cache_type_k is xllamacpp.ggml_type.GGML_TYPE_Q8_0
    assert found.split_mode is xllamacpp.llama_split_mode.LLAMA_SPLIT_MODE_ROW
    assert list(found.tensor_split[:3]) == [1, 3, 0]
    assert list(found.speculative.types) == [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_MOD]
    assert choice(xllamacpp.llama_pooling_type, "mean") is xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    assert list(choices(xllamacpp.llama_lazy_mode)) == ["off", "auto", "on"]


def test_a_template_and_its_arguments_are_taken_as_they_are() -> None:
    found = params(params={"chat_template": "{{ messages }}", "default_template_kwargs": {"a": "b"}})
    assert (found.chat_template, found.default_template_kwargs) == ("{{ messages }}", {"a": "b"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_paralel": 2}, "no parameter `engine_kwargs.n_paralel`"),
        ({"cpuparams": {"n_thread": 2}}, "no parameter `engine_kwargs.cpuparams.n_thread`"),
        ({"n_batch": "many"}, "`engine_kwargs.n_batch` does not take 'many'"),
        ({"cache_type_k": "q9"}, "it takes f32, f16"),
    ],
)
def test_what_it_does_not_take_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        params(params=given)


def test_every_parameter_of_the_table_is_taken_with_its_default() -> None:
    """What a file may say, the replica can set."""
    assert xllamacpp.__version__ == LLAMA_CPP_VERSION
    for name, parameter in llama_cpp_parameters().items():
        # An empty text is no device, but it is what stands there.
        if parameter.reserved is None and parameter.default not in (None, ""):
            value: Any = parameter.default
            for part in reversed(name.split(".")):
                value = {part: value}
            params(params=value)

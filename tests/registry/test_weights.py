"""What a checkpoint says, and the checks that ask it."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import Diagnostic
from reconciler.registry.loader import load
from reconciler.registry.weights import Weights
from reconciler.registry.weights_reader import read_weights

LLAMA_70B = {
    "num_hidden_layers": 80,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "hidden_size": 8192,
    "max_position_embeddings": 131072,
    "rope_scaling": {"rope_type": "llama3", "factor": 8.0},
}


def tensors(path: Path, shapes: Mapping[str, tuple[str, list[int]]]) -> None:
    """A safetensors file that is all header: sizes without a single weight."""
    header = {name: {"dtype": kind, "shape": shape, "data_offsets": [0, 0]} for name, (kind, shape) in shapes.items()}
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def checkpoint(folder: Path, config: Mapping[str, Any], gigabytes: float, kind: str = "BF16") -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    tensors(folder / "model.safetensors", {"a": (kind, [int(gigabytes * 1e9) // 2]), "b": (kind, [2, 1])})
    return folder


def problems(root: Path, source: Path, *lines: str, scaling: str = "{}") -> tuple[Diagnostic, ...]:
    (root / "clusters").mkdir(parents=True, exist_ok=True)
    (root / "clusters" / "local.yaml").write_text("owner: a\nlocal: true\n")
    engine = "".join(f"  {line}\n" for line in ("model_id: org/a", f"hf_model_id: {source}", *lines))
    (root / "org--a.yaml").write_text(f"engine_config:\n{engine}scaling_config: {scaling}\n")
    return load(root).diagnostics


FOUR_H100 = '{num_workers: 4, resources_per_worker: {"accelerator_type:H100": 0.001}}'
ONE_H100 = '{resources_per_worker: {"accelerator_type:H100": 0.001}}'


def test_a_model_that_fits_is_no_problem(tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "weights", LLAMA_70B, 141.1)
    assert problems(tmp_path / "r", source, "max_total_tokens: 16384", scaling=FOUR_H100) == ()


def test_a_model_that_cannot_fit_is_an_error_with_its_arithmetic(tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "weights", LLAMA_70B, 141.1)
    [problem] = problems(tmp_path / "r", source, "max_total_tokens: 16384", scaling=ONE_H100)
    assert problem.rule == "fits-gpu-memory"
    assert problem.message == (
        "the model does not fit its GPUs: weights 141.10 GB + KV cache 5.37 GB (327680 bytes x 16384 tokens) = "
        "146.47 GB, and there is 1 x 85.6 GB x 0.92 = 78.75 GB"
    )


@pytest.mark.parametrize(
    "line",
    [
        "engine_kwargs: {quantization: fp8}",
        "engine_kwargs: {cpu_offload_gb: 80}",
        "engine_kwargs: {load_format: dummy}",
    ],
)
def test_what_changes_the_arithmetic_silences_it(line: str, tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "weights", LLAMA_70B, 141.1)
    assert problems(tmp_path / "r", source, "max_total_tokens: 16384", line, scaling=ONE_H100) == ()


@pytest.mark.parametrize(("line", "rules"), [("dtype: auto", []), ("dtype: float32", ["fits-gpu-memory"])])
def test_weights_of_32_bits_are_loaded_in_16(line: str, rules: list[str], tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "weights", {"num_attention_heads": 8}, 45, "F32")
    found = problems(tmp_path / "r", source, f"engine_kwargs: {{{line}}}", scaling=ONE_H100)
    assert [problem.rule for problem in found] == rules


def test_the_context_is_that_of_the_weights(tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "weights", {"max_position_embeddings": 4096}, 1)
    [problem] = problems(tmp_path / "r", source, "max_total_tokens: 8192")
    assert (problem.rule, problem.position.line) == ("context-of-weights", 4)
    allowed = 'runtime_env: {env_vars: {VLLM_ALLOW_LONG_MAX_MODEL_LEN: "1"}}'
    assert problems(tmp_path / "r", source, "max_total_tokens: 8192", allowed) == ()


def test_the_workers_share_the_heads(tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "weights", LLAMA_70B, 1)
    [problem] = problems(tmp_path / "r", source, scaling="{num_workers: 3}")
    assert (problem.rule, problem.hint) == ("heads-divide-workers", "take a number of workers that divides 64")


@pytest.mark.parametrize(
    ("config", "context"),
    [
        ({}, None),
        ({"max_position_embeddings": 4096, "seq_length": 2048}, 2048),
        ({"text_config": {"max_position_embeddings": 8192}}, 8192),
        ({"max_position_embeddings": 4096, "rope_scaling": {"type": "linear", "factor": 4.0}}, 16384),
        ({"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 131072),
        (
            {
                "max_position_embeddings": 131072,
                "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096},
            },
            16384,
        ),
        ({"max_position_embeddings": 1024, "rope_parameters": {"full_attention": {"rope_type": "default"}}}, None),
        ({"max_position_embeddings": "many"}, None),
    ],
)
def test_the_context_of_a_configuration(config: dict[str, Any], context: int | None) -> None:
    assert Weights(config, {}).context() == context


@pytest.mark.parametrize(
    ("config", "workers", "size"),
    [
        (LLAMA_70B, 4, 327680 * 1000),
        (LLAMA_70B, 16, 2 * 327680 * 1000),
        ({**LLAMA_70B, "head_dim": 64}, 1, 163840 * 1000),
        ({**LLAMA_70B, "sliding_window": 100}, 1, 327680 * 100),
        ({**LLAMA_70B, "sliding_window": 100, "use_sliding_window": False}, 1, 327680 * 1000),
        ({**LLAMA_70B, "layer_types": ["full_attention", "sliding_attention"]}, 1, 2 * 4096 * 1000),
        ({**LLAMA_70B, "layer_types": ["full_attention", "linear_attention"]}, 1, 4096 * 1000),
        ({"num_hidden_layers": 2, "num_attention_heads": 4, "kv_lora_rank": 512, "qk_rope_head_dim": 64}, 2, 4608000),
        ({"num_hidden_layers": 2}, 1, None),
    ],
)
def test_the_cache_of_one_sequence(config: dict[str, Any], workers: int, size: int | None) -> None:
    assert Weights(config, {}).cache_size(1000, workers, 2.0) == size


def test_the_files_of_an_index_count_and_those_of_the_maker_do_not(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "weights", {}, 1)
    tensors(folder / "consolidated.safetensors", {"a": ("BF16", [7])})
    found = read_weights(str(folder))
    assert found is not None and found.values == {"BF16": 500_000_002}
    tensors(folder / "part.safetensors", {"a": ("I8", [3, 5])})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "part.safetensors"}}))
    found = read_weights(str(folder))
    assert found is not None and found.values == {"I8": 15}


@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\n", struct.pack("<Q", 2) + b"[]", b"\xff" * 40]
)
def test_a_broken_file_says_nothing(content: bytes, tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "weights", LLAMA_70B, 1)
    (folder / "model.safetensors").write_bytes(content)
    found = read_weights(str(folder))
    assert found is not None and found.size(float32=False) is None


@pytest.mark.parametrize("config", ["", "[]", "{", "[" * 100_000])
def test_a_broken_configuration_says_nothing(config: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    assert read_weights(str(tmp_path)) is None


@pytest.mark.parametrize("source", ["org/model", "", "${env:MODELS}/a", "./weights", "/does/not/exist"])
def test_only_an_absolute_path_that_is_there_is_read(source: str) -> None:
    assert read_weights(source) is None

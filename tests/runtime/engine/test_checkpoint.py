"""Weights that are not whole are noticed before the engine starts, and what is missing is named."""

import json
from pathlib import Path

import pytest

from runtime.engine.checkpoint import check_folder, incomplete, lacking_adapter, lacking_checkpoint
from runtime.engine.errors import WeightsError
from tests.support.checkpoints import checkpoint, safetensors


def test_a_whole_checkpoint_lacks_nothing(tmp_path: Path) -> None:
    check_folder(checkpoint(tmp_path / "one"), lacking_checkpoint)
    check_folder(checkpoint(tmp_path / "three", shards=3), lacking_checkpoint)


def test_every_missing_file_of_the_index_is_named(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, shards=3)
    (folder / "model-00001-of-00003.safetensors").unlink()
    (folder / "model-00003-of-00003.safetensors").unlink()
    with pytest.raises(WeightsError) as raised:
        check_folder(folder, lacking_checkpoint)
    named = "`model-00001-of-00003.safetensors`, `model-00003-of-00003.safetensors`"
    assert str(raised.value) == f"`{folder}` is incomplete: {named} are missing"


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["config.json"], ["the weights"]),
        (["model.safetensors"], ["config.json"]),
        ([], ["config.json", "the weights"]),
        (["params.json", "consolidated.safetensors"], []),
        (["config.json", "pytorch_model.bin"], []),
        # The index of a format that nobody loads says nothing.
        (["config.json", "model.safetensors", "pytorch_model.bin.index.json"], []),
        (["config.json", "pytorch_model.bin.index.json", "other.bin"], ["of-the-index"]),
    ],
)
def test_what_a_checkpoint_needs(names: list[str], missing: list[str]) -> None:
    def read(_: str) -> bytes:
        return json.dumps({"weight_map": {"a": "of-the-index"}}).encode()

    assert list(lacking_checkpoint(names, read)) == missing


@pytest.mark.parametrize("index", [b"", b"[]", b'{"weight_map": 1}', b'{"weight_map": {"a": 1}}', b"\xff"])
def test_an_index_that_is_none_is_for_vllm_to_refuse(index: bytes) -> None:
    names = ["config.json", "a.safetensors", "model.safetensors.index.json"]
    assert list(lacking_checkpoint(names, lambda _: index)) == []


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        (["adapter_config.json", "adapter_model.safetensors"], []),
        (["adapter_config.json", "adapter_model.bin"], []),
        (["adapter_config.json"], ["adapter_model.safetensors"]),
        (["config.json", "model.safetensors"], ["adapter_config.json", "adapter_model.safetensors"]),
    ],
)
def test_what_an_adapter_needs(names: list[str], missing: list[str]) -> None:
    assert list(lacking_adapter(names, lambda _: None)) == missing


def test_a_file_that_is_cut_off_is_named_with_its_sizes(tmp_path: Path) -> None:
    weights = checkpoint(tmp_path) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-3])
    with pytest.raises(WeightsError, match=f"is cut off or damaged: it has {len(whole) - 3} bytes of {len(whole)}"):
        check_folder(tmp_path, lacking_checkpoint)


@pytest.mark.parametrize("content", [b"", b"1234", b"x" * 100, b"\x08" + b"\0" * 7 + b"[1, 2]  ", safetensors({})[:9]])
def test_what_is_no_safetensors_file_is_damaged(tmp_path: Path, content: bytes) -> None:
    (checkpoint(tmp_path) / "model.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="is damaged: it does not begin as a safetensors file does"):
        check_folder(tmp_path, lacking_checkpoint)


def test_a_file_without_tensors_is_whole(tmp_path: Path) -> None:
    (checkpoint(tmp_path) / "model.safetensors").write_bytes(safetensors({}))
    check_folder(tmp_path, lacking_checkpoint)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_pointer_of_git_lfs_is_told_from_weights(tmp_path: Path, name: str) -> None:
    (checkpoint(tmp_path) / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    with pytest.raises(WeightsError, match=f"{name}` is a pointer of Git LFS, not weights"):
        check_folder(tmp_path, lacking_checkpoint)


def test_many_missing_files_are_counted() -> None:
    error = incomplete("/m", [f"{number}.bin" for number in range(7)], most=2)
    assert str(error) == "`/m` is incomplete: `0.bin`, `1.bin` and 5 more are missing"
    assert str(incomplete("/m", ["config.json", "the weights"])).endswith("`config.json`, the weights are missing")
    assert str(incomplete("/m", ["the weights"])).endswith(": the weights are missing")

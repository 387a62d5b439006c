"""The tiny model: reproducible, written whole or not at all, and in the formats that vLLM reads."""

import json
import struct
from pathlib import Path

import pytest

from reconciler.serve.local.model import build

FILES = {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def header(directory: Path) -> tuple[dict[str, dict[str, list[int]]], int]:
    """The table of tensors and the number of data bytes that follow it."""
    weights = (directory / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", weights[:8])
    return json.loads(weights[8 : 8 + length]), len(weights) - 8 - length


def test_a_seed_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    first = contents(build(tmp_path / "one", seed=7))
    assert first == contents(build(tmp_path / "two", seed=7))
    assert set(first) == FILES
    assert 1_500_000 < sum(map(len, first.values())) < 2_500_000


def test_another_seed_gives_other_weights_and_the_same_tokenizer(tmp_path: Path) -> None:
    first, second = contents(build(tmp_path / "one", seed=1)), contents(build(tmp_path / "two", seed=2))
    assert first.pop("model.safetensors") != second.pop("model.safetensors")
    assert first == second


def test_a_complete_folder_is_not_written_again(tmp_path: Path) -> None:
    directory = build(tmp_path / "model", seed=1)
    before = {path.name: path.stat().st_ino for path in directory.iterdir()}
    build(directory, seed=1)
    assert {path.name: path.stat().st_ino for path in directory.iterdir()} == before


@pytest.mark.parametrize("damage", ["missing", "truncated", "edited", "other seed"])
def test_a_folder_that_is_not_this_model_is_replaced(tmp_path: Path, damage: str) -> None:
    directory = build(tmp_path / "model", seed=2 if damage == "other seed" else 1)
    if damage == "missing":
        (directory / "tokenizer.json").unlink()
    elif damage == "truncated":
        weights = directory / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-4])
    elif damage == "edited":
        (directory / "config.json").write_text("{}")
    build(directory, seed=1)
    assert contents(directory) == contents(build(tmp_path / "reference", seed=1))
    assert {path.name for path in tmp_path.iterdir()} == {"model", "reference"}


def test_an_interrupted_build_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("reconciler.serve.local.model._tensor", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "model", seed=1)
    assert list(tmp_path.iterdir()) == []


def test_the_tensors_fill_the_file_without_gaps(tmp_path: Path) -> None:
    table, data_bytes = header(build(tmp_path / "model", seed=1))
    table.pop("__metadata__")
    end = 0
    for tensor in table.values():
        begin, finish = tensor["data_offsets"]
        size = 4
        for extent in tensor["shape"]:
            size *= extent
        assert (begin, finish - begin) == (end, size)
        end = finish
    assert end == data_bytes


def test_every_byte_has_its_own_token(tmp_path: Path) -> None:
    tokenizer = json.loads((build(tmp_path / "model", seed=1) / "tokenizer.json").read_text())
    assert sorted(tokenizer["model"]["vocab"].values()) == list(range(256))
    assert [token["id"] for token in tokenizer["added_tokens"]] == [256, 257, 258, 259, 260]


def test_the_tokenizer_library_reads_back_what_it_encodes(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(build(tmp_path / "model", seed=1) / "tokenizer.json"))
    text = "Grüße,\t世界 \U0001f642\n"
    assert tokenizer.encode(text).ids == list(text.encode())
    assert tokenizer.decode(tokenizer.encode(text).ids) == text

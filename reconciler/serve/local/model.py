"""A tiny Llama chat model with random weights, written on the spot: nothing is downloaded to try the whole way.

It talks nonsense, but it is a real model to vLLM: a byte-level tokenizer, a chat template, weights in safetensors.
The last layer favours lower-case letters and the space, so that its answers can be printed anywhere.
"""

import json
import math
import random
import sys
import tempfile
from array import array
from pathlib import Path
from typing import Any

from reconciler.serve.local.tokenizer import BOS_ID, EOS_ID, tokenizer, tokenizer_config

_LAYERS = 2
_HIDDEN = 128
_HEADS = 4
_KV_HEADS = 2
_HEAD_DIM = _HIDDEN // _HEADS
_INTERMEDIATE = 352
_CONTEXT = 2048
_VOCABULARY = 264
"""256 bytes and the special tokens, rounded up to a multiple of eight."""

_SPOKEN = frozenset(b" abcdefghijklmnopqrstuvwxyz")
"""Token ids (which are byte values) that the model answers with."""


def build(directory: Path, *, seed: int) -> Path:
    """Write the model into `directory`, about 2 MB, and return `directory`; the same bytes for the same seed.

    Nothing is written when the folder already holds this very model. Otherwise the folder appears whole or not at all,
    whatever was there before is replaced, and an interrupted run leaves only a hidden temporary folder beside it.

    Raises:
        OSError: the folder cannot be written.
    """
    files = _texts()
    shapes = _shapes()
    header = _safetensors_header(shapes, seed)
    if _is_written(directory, files, header, shapes):
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}-", dir=directory.parent) as scratch:
        written = Path(scratch, directory.name)
        written.mkdir()
        for name, content in files.items():
            (written / name).write_bytes(content)
        with (written / "model.safetensors").open("wb") as stream:
            stream.write(header)
            generator = random.Random(seed)
            for name, shape in shapes.items():
                stream.write(_tensor(name, shape, generator))
        if directory.exists():
            directory.rename(Path(scratch, "replaced"))
        try:
            written.rename(directory)
        except OSError:
            # Somebody else built it at the same moment.
            if not _is_written(directory, files, header, shapes):
                raise
    return directory


def _is_written(directory: Path, files: dict[str, bytes], header: bytes, shapes: dict[str, tuple[int, ...]]) -> bool:
    try:
        weights = directory / "model.safetensors"
        with weights.open("rb") as stream:
            same_header = stream.read(len(header)) == header
        return (
            same_header
            and weights.stat().st_size == len(header) + sum(map(_size, shapes.values()))
            and all((directory / name).read_bytes() == content for name, content in files.items())
        )
    except (FileNotFoundError, NotADirectoryError):
        return False


def _shapes() -> dict[str, tuple[int, ...]]:
    """Every tensor of `LlamaForCausalLM` in the order they are written."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (_VOCABULARY, _HIDDEN)}
    for layer in range(_LAYERS):
        prefix = f"model.layers.{layer}"
        shapes |= {
            f"{prefix}.input_layernorm.weight": (_HIDDEN,),
            f"{prefix}.self_attn.q_proj.weight": (_HEADS * _HEAD_DIM, _HIDDEN),
            f"{prefix}.self_attn.k_proj.weight": (_KV_HEADS * _HEAD_DIM, _HIDDEN),
            f"{prefix}.self_attn.v_proj.weight": (_KV_HEADS * _HEAD_DIM, _HIDDEN),
            f"{prefix}.self_attn.o_proj.weight": (_HIDDEN, _HEADS * _HEAD_DIM),
            f"{prefix}.post_attention_layernorm.weight": (_HIDDEN,),
            f"{prefix}.mlp.gate_proj.weight": (_INTERMEDIATE, _HIDDEN),
            f"{prefix}.mlp.up_proj.weight": (_INTERMEDIATE, _HIDDEN),
            f"{prefix}.mlp.down_proj.weight": (_HIDDEN, _INTERMEDIATE),
        }
    return shapes | {"model.norm.weight": (_HIDDEN,), "lm_head.weight": (_VOCABULARY, _HIDDEN)}


def _size(shape: tuple[int, ...]) -> int:
    """Bytes of a float32 tensor."""
    return 4 * math.prod(shape)


def _safetensors_header(shapes: dict[str, tuple[int, ...]], seed: int) -> bytes:
    """Length in eight bytes, little endian, and the JSON table of tensors, padded so that the data is aligned."""
    table: dict[str, Any] = {"__metadata__": {"format": "pt", "seed": str(seed)}}
    offset = 0
    for name, shape in shapes.items():
        table[name] = {"dtype": "F32", "shape": shape, "data_offsets": (offset, offset + _size(shape))}
        offset += _size(shape)
    text = json.dumps(table, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _tensor(name: str, shape: tuple[int, ...], generator: random.Random) -> bytes:
    if len(shape) == 1:
        values = array("f", [1.0]) * shape[0]
    elif name == "lm_head.weight":
        # Normalised hidden states have length sqrt(_HIDDEN): logits of about ±6 for what is spoken, 0 for the rest.
        values = array("f")
        for token in range(shape[0]):
            values.extend(generator.gauss(0, 0.5) if token in _SPOKEN else 0.0 for _ in range(shape[1]))
    else:
        deviation = 1 / math.sqrt(shape[1])
        values = array("f", (generator.gauss(0, deviation) for _ in range(math.prod(shape))))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def _texts() -> dict[str, bytes]:
    """The files beside the weights."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": _HIDDEN,
        "intermediate_size": _INTERMEDIATE,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": _HEADS,
        "num_key_value_heads": _KV_HEADS,
        "head_dim": _HEAD_DIM,
        "vocab_size": _VOCABULARY,
        "max_position_embeddings": _CONTEXT,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-05,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "bos_token_id": BOS_ID,
        "eos_token_id": EOS_ID,
    }
    documents = {
        "config.json": config,
        "generation_config.json": {"bos_token_id": BOS_ID, "eos_token_id": EOS_ID},
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": tokenizer_config(_CONTEXT),
    }
    return {name: json.dumps(document, indent=1).encode() for name, document in documents.items()}

"""The tiny model of the local cluster as a GGUF file: the same weights, the same bytes for tokens, for llama.cpp."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from reconciler.serve.local import model

_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""GGUF's name of each tensor, or of its part within a layer."""

_UNUSED = "[unused{}]"

WORD = 263
"""The last token, which has no text unless `build` is given one."""


def build(file: Path, *, seed: int, add_bos: bool = False, word: str | None = None) -> Path:
    """Write the tiny model of that seed into `file`, about 2 MB, and return it. `add_bos`: its tokenizer puts the
    beginning-of-sequence token in front of every text. `word`: the text of the token `WORD`.
    """
    folder = model.build(file.with_suffix(".hf"), seed=seed)
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_name("tiny")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_tokenizer(writer, folder, config, add_bos, word)
    for name, values in _tensors(folder).items():
        heads = config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"]
        writer.add_tensor(_name(name), _rotated(values, heads) if "q_proj" in name or "k_proj" in name else values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _add_tokenizer(
    writer: gguf.GGUFWriter, folder: Path, config: dict[str, Any], add_bos: bool, word: str | None
) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    vocabulary = {number: text for text, number in tokenizer["model"]["vocab"].items()}
    if word is not None:
        vocabulary[WORD] = "".join(vocabulary[byte] for byte in word.encode())
    special = {entry["id"]: entry["content"] for entry in tokenizer["added_tokens"]}
    tokens, types = [], []
    for number in range(config["vocab_size"]):
        tokens.append(vocabulary.get(number) or special.get(number) or _UNUSED.format(number))
        kind = gguf.TokenType.CONTROL if number in special else gguf.TokenType.NORMAL
        types.append(kind if number in vocabulary or number in special else gguf.TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    # There must be one; what it makes of two zero bytes is no token, so that they stay two.
    writer.add_token_merges([f"{vocabulary[0]} {vocabulary[0]}"])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_add_bos_token(add_bos)
    writer.add_chat_template(settings["chat_template"])


def _tensors(folder: Path) -> dict[str, Any]:
    data = (folder / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    table = json.loads(data[8 : 8 + length])
    table.pop("__metadata__")
    body = data[8 + length :]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"])
        for name, entry in table.items()
    }


def _name(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    _, _, layer, part = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{_NAMES[part]}.weight"


def _rotated(values: Any, heads: int) -> Any:
    """The rows in the order in which llama.cpp rotates them: pairs side by side, and not halves."""
    rows, columns = values.shape
    return values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)

"""Tokenizers that differ in what they do at the beginning of a text, as folders that transformers and vLLM load."""

import json
from pathlib import Path
from typing import Any

from reconciler.serve.local.tokenizer import tokenizer, tokenizer_config

_CONTEXT = 2048

_TEXT = {"Sequence": {"id": "A", "type_id": 0}}

KINDS = ("adds-bos", "has-bos", "no-bos", "adds-both", "llama", "llama-legacy")


def write_tokenizer(kind: str, directory: Path) -> Path:
    """Write a tokenizer that puts a BOS token in front of each text, has one and does not, has none, adds one at each
    end, or is like Llama's: with a `▁` before the first word of a text, in its newer or older way. The chat template of
    each is the tiny model's."""
    directory.mkdir(parents=True)
    document, config = tokenizer(), tokenizer_config(_CONTEXT)
    if kind == "adds-bos":
        document["post_processor"] = _template(document, _special("<s>"), _TEXT)
    elif kind == "adds-both":
        document["post_processor"] = _template(document, _special("<s>"), _TEXT, _special("</s>"))
    elif kind == "no-bos":
        del config["bos_token"]
    elif kind.startswith("llama"):
        document |= _metaspace(document, legacy=kind == "llama-legacy")
        document["post_processor"] = _template(document, _special("<s>"), _TEXT)
    (directory / "tokenizer.json").write_text(json.dumps(document))
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    return directory


def _special(token: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": token, "type_id": 0}}


def _template(document: dict[str, Any], *pieces: dict[str, Any]) -> dict[str, Any]:
    ids = {token["content"]: token["id"] for token in document["added_tokens"]}
    special = {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in ("<s>", "</s>")}
    return {
        "type": "TemplateProcessing",
        "single": list(pieces),
        "pair": [*pieces, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": special,
    }


def _metaspace(document: dict[str, Any], *, legacy: bool) -> dict[str, Any]:
    """BPE over characters with byte fallback, in which a word and the `▁` before it may be one token."""
    characters = [chr(code) for code in range(0x21, 0x7F)]
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *characters, *(f"▁{one}" for one in characters)]
    vocabulary = {name: number for number, name in enumerate(names)}
    special = [{**token, "id": len(names) + number} for number, token in enumerate(document["added_tokens"])]
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    prepend = {"type": "Prepend", "prepend": "▁"}
    newer = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    return {
        "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [prepend, space]} if legacy else None,
        "pre_tokenizer": None if legacy else newer,
        "decoder": None,
        "model": {
            **document["model"],
            "vocab": vocabulary,
            "merges": [["▁", one] for one in characters],
            "unk_token": "<unk>",
            "fuse_unk": True,
            "byte_fallback": True,
        },
    }

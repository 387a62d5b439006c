"""The tokenizer of the tiny model, in the JSON format of the `tokenizers` library: one token for each byte."""

from typing import Any

_SPECIAL_TOKENS = ("<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>")
"""Numbered after the 256 bytes."""

BOS_ID = 256 + _SPECIAL_TOKENS.index("<s>")
"""Token id that begins a text."""

EOS_ID = 256 + _SPECIAL_TOKENS.index("</s>")
"""Token id that ends a message."""

_CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def tokenizer_config(context: int) -> dict[str, Any]:
    """The content of `tokenizer_config.json` for a model that takes `context` tokens."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
        "bos_token": "<s>",
        "eos_token": "</s>",
        "chat_template": _CHAT_TEMPLATE,
    }


def tokenizer() -> dict[str, Any]:
    """The content of `tokenizer.json`: byte-level BPE without merges, a byte's token id being its value."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    special = [
        {
            "id": 256 + index,
            "content": token,
            "special": True,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
        }
        for index, token in enumerate(_SPECIAL_TOKENS)
    ]
    model: dict[str, Any] = {
        "type": "BPE",
        "vocab": {symbol: byte for byte, symbol in enumerate(_byte_symbols())},
        "merges": [],
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": model,
    }


def _byte_symbols() -> list[str]:
    """The character that stands for each byte in a byte-level vocabulary (as the `tokenizers` library maps them).

    Visible Latin-1 characters stand for themselves; the others are numbered from U+0100 on.
    """
    symbols: list[str] = []
    hidden = 0
    for byte in range(256):
        if 0x21 <= byte <= 0x7E or (0xA1 <= byte <= 0xFF and byte != 0xAD):
            symbols.append(chr(byte))
        else:
            symbols.append(chr(0x100 + hidden))
            hidden += 1
    return symbols

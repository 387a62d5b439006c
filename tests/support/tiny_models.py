"""Tiny models with random weights that are made on the spot, and what transformers itself answers for them.

    python -m tests.support.tiny_models FOLDER

A process of its own, because it imports torch. It writes the models below FOLDER, and `expected.json` beside them.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

TEXTS = ("a red fox", "the fox sleeps", "blue", "a very long night with the red fox and the blue moon")
PROMPTS = ("Once upon a time", "abc")
NEW_TOKENS = 12

SMALLEST_HEAD = 32
"""The smallest head that vLLM's attention for CPUs has."""

_WORDS = ["a", "the", "red", "blue", "fox", "moon", "sleeps", "night", "very", "long", "with", "and"]


def main(root: Path) -> None:
    """Write everything."""
    import torch

    torch.manual_seed(7)
    expected = {
        "bert": _bert(root / "tiny-bert"),
        "reranker": _reranker(root / "tiny-reranker"),
        "helium": _helium(root / "tiny-helium"),
    }
    (root / "expected.json").write_text(json.dumps(expected))


def _word_tokenizer() -> Any:
    from transformers import BertTokenizerFast

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary += [word for word in _WORDS if word not in vocabulary]
    return BertTokenizerFast(vocab={word: number for number, word in enumerate(vocabulary)}, do_lower_case=True)


def _bert_config(vocabulary: int, **more: Any) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=2 * SMALLEST_HEAD,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=128,
        # Random weights of the usual size give nearly the same vector for every text.
        initializer_range=0.4,
        **more,
    )


def _bert(folder: Path) -> dict[str, Any]:
    """Vectors of `TEXTS`, normalised, by how they are pooled."""
    import torch
    from transformers import BertModel

    tokenizer = _word_tokenizer()
    model = BertModel(_bert_config(len(tokenizer))).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    batch = tokenizer(list(TEXTS), padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    pooled = {"MEAN": (states * mask).sum(1) / mask.sum(1), "CLS": states[:, 0]}
    return {name: torch.nn.functional.normalize(vectors).tolist() for name, vectors in pooled.items()}


def _reranker(folder: Path) -> list[float]:
    """Scores of the first of `TEXTS` with each of the others."""
    import torch
    from transformers import BertForSequenceClassification

    tokenizer = _word_tokenizer()
    model = BertForSequenceClassification(_bert_config(len(tokenizer), num_labels=1)).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    batch = tokenizer([TEXTS[0]] * (len(TEXTS) - 1), list(TEXTS[1:]), padding=True, return_tensors="pt")
    with torch.no_grad():
        return torch.sigmoid(model(**batch).logits[:, 0]).tolist()


def _helium(folder: Path) -> list[str]:
    """What comes after each of `PROMPTS`, always the likeliest token."""
    import torch
    from transformers import AutoTokenizer, HeliumConfig, HeliumForCausalLM

    from reconciler.serve.local.tokenizer import BOS_ID, EOS_ID, tokenizer, tokenizer_config

    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(512)))
    config = HeliumConfig(
        vocab_size=264,
        hidden_size=4 * SMALLEST_HEAD,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=SMALLEST_HEAD,
        intermediate_size=128,
        max_position_embeddings=512,
        initializer_range=0.3,
        bos_token_id=BOS_ID,
        eos_token_id=EOS_ID,
        pad_token_id=EOS_ID,
        tie_word_embeddings=False,
    )
    model = HeliumForCausalLM(config).eval()
    # Only letters, so that the answer is the same text wherever it is decoded.
    with torch.no_grad():
        spoken = torch.zeros(264, dtype=torch.bool)
        spoken[ord("a") : ord("z") + 1] = True
        model.lm_head.weight[~spoken] = 0
    model.save_pretrained(folder)
    words = AutoTokenizer.from_pretrained(folder)
    answers = []
    for prompt in PROMPTS:
        batch = words(prompt, return_tensors="pt")
        with torch.no_grad():
            tokens = model.generate(**batch, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False)
        answers.append(words.decode(tokens[0, batch["input_ids"].shape[1] :]))
    return answers


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))

"""Tiny LoRA adapters for the tiny chat model, in the format of PEFT, written without a library."""

import json
import random
from pathlib import Path

from tests.support.checkpoints import safetensors

_LAYERS = 2
_HIDDEN = 128
_OUT = {"q_proj": 128, "v_proj": 64}
"""Width of what each adapted module gives (`reconciler.serve.local.model`)."""


def adapter(folder: Path, *, seed: int, rank: int = 4) -> Path:
    """Write an adapter with random weights, large enough that answers differ from the model's own. The same seed gives
    the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "local/tiny-chat",
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": sorted(_OUT),
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    numbers = random.Random(seed)

    def values(count: int) -> list[float]:
        return [numbers.gauss(0, 0.5) for _ in range(count)]

    tensors = {}
    for layer in range(_LAYERS):
        for module, width in _OUT.items():
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{name}.lora_A.weight"] = ((rank, _HIDDEN), values(rank * _HIDDEN))
            tensors[f"{name}.lora_B.weight"] = ((width, rank), values(width * rank))
    (folder / "adapter_model.safetensors").write_bytes(safetensors(tensors))
    return folder

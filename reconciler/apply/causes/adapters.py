"""Why vLLM refuses an adapter that is there (`vllm/lora` 0.29)."""

from reconciler.apply.causes.pattern import pattern

PATTERNS = (
    pattern(
        "adapter_rank",
        proof=r"LoRA rank (\d+) is greater than max_lora_rank",
        sentence="the adapter has the rank {0}, and the engine was started for less",
        advice="raise `max_lora_rank` in `engine_kwargs` (16, 32, 64, 128, ...), which restarts the model",
    ),
    pattern(
        "adapter_modules",
        proof=r"expected target modules in|is unsupported LoRA weight",
        sentence="the adapter changes parts of the model that vLLM cannot adapt",
        advice="check that it was made for this very model; a layer that vLLM has fused or left out cannot be adapted",
    ),
    pattern(
        "adapter_kind",
        proof=r"(vLLM only supports modules_to_save being None|vLLM does not yet support DoRA"
        r"|Adapter bias is not supported)",
        sentence="the adapter is of a kind that vLLM does not serve: {0}",
        advice="merge it into the weights of its model, and serve them as a model of its own",
    ),
)

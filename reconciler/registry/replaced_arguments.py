"""Engine arguments that people still write and the pinned vLLM no longer takes, and what takes their place.

They are those of real model files since RayLLM, of vLLM's earlier releases and frequent misspellings.
"""

from collections.abc import Mapping

_SPECULATIVE = (
    "write `speculative_config`: a mapping such as `method: ngram`, `num_speculative_tokens: 4`, `prompt_lookup_max: 4`"
)
_SCHEDULED = "vLLM schedules requests itself now; remove it"
_TOKENIZER_POOL = "vLLM has no pool of tokenizers any more; remove it"

REPLACED_ARGUMENTS: Mapping[str, str] = {
    "max_num_seq": "write `max_num_seqs`",
    "max_log_probs": "write `max_logprobs`",
    "enable_cuda_graph": "write `enforce_eager`, which is its opposite",
    "disable_log_requests": "requests are not logged unless `enable_log_requests` is true; remove it",
    "device": "vLLM takes the device it was built for; remove it",
    "swap_space": "vLLM recomputes preempted requests and swaps nothing; remove it",
    "task": "write `engine_config.type`, and `convert` in `engine_kwargs` for a classifier",
    "rope_scaling": "write it inside `hf_overrides`",
    "rope_theta": "write it inside `hf_overrides`",
    "guided_decoding_backend": "write `structured_outputs_config` with `backend`",
    "override_pooler_config": "write `pooler_config`",
    "enable_reasoning": "`reasoning_parser` alone turns it on; remove it",
    "num_lookahead_slots": _SPECULATIVE,
    "num_speculative_tokens": _SPECULATIVE,
    "speculative_model": _SPECULATIVE,
    "speculative_disable_by_batch_size": _SPECULATIVE,
    "ngram_prompt_lookup_max": _SPECULATIVE,
    "ngram_prompt_lookup_min": _SPECULATIVE,
    "enable_prompt_lookup": _SPECULATIVE,
    "max_ngram_size": _SPECULATIVE,
    "num_tokenizer_actors": _TOKENIZER_POOL,
    "tokenizer_pool_size": _TOKENIZER_POOL,
    "tokenizer_pool_type": _TOKENIZER_POOL,
    "tokenizer_pool_extra_config": _TOKENIZER_POOL,
    "use_v2_block_manager": _SCHEDULED,
    "min_decodes_per_prefill": _SCHEDULED,
    "max_num_partial_prefills": _SCHEDULED,
    "preemption_mode": _SCHEDULED,
    "num_scheduler_steps": _SCHEDULED,
    "worker_use_ray": "Ray Serve chooses the executor; remove it",
    "engine_use_ray": "Ray Serve chooses the executor; remove it",
    "max_context_len_to_capture": "write `max_cudagraph_capture_size`",
    "max_seq_len_to_capture": "write `max_cudagraph_capture_size`",
    "long_lora_scaling_factors": "vLLM serves no long-context adapters any more; remove it",
    "enable_json_logits_processors": "vLLM guides JSON output on request; remove it",
    "enable_custom_nccl": "vLLM chooses how GPUs exchange results; remove it",
    "load_s3_path": "write `engine_config.s3_mirror_config` with `bucket_uri`",
    "sharded": "write `scaling_config.num_workers`",
    "max_batch_size": "write `max_num_seqs`",
    "quantize": "write `quantization`",
    "max_total_tokens": "it stands beside `engine_kwargs`, in `engine_config`",
    "num_workers": "it stands in `scaling_config`",
}
"""What to write instead, by the name that is gone."""

GONE_VALUES: Mapping[tuple[str, str], str] = {
    (
        "quantization",
        "squeezellm",
    ): "vLLM serves no SqueezeLLM weights any more; choose a checkpoint in AWQ, GPTQ or FP8",
}
"""What to do about a value that nothing takes any more, by argument and value."""

"""What `engine_kwargs` of a `LlamaCppEngine` may hold: the parameters of xllamacpp's `CommonParams`.

The class has those of all of llama.cpp's programs. What matters for a server of one model is listed here; the others
are kept in the table with the reason why they have no place in a file.
"""

import json
from collections.abc import Iterator
from enum import Enum
from typing import Any

import xllamacpp

from reconciler.registry.tables import LLAMA_CPP_VERSION
from runtime.llama_cpp.params import choices

_TAKEN = frozenset(
    [
        "attention_type",
        "cache_idle_slots",
        "cache_prompt",
        "cache_ram_mib",
        "cache_type_k",
        "cache_type_v",
        "chat_template",
        "check_tensors",
        "checkpoint_min_step",
        "cont_batching",
        "ctx_shift",
        "default_template_kwargs",
        "embd_normalize",
        "embedding",
        "enable_reasoning",
        "fit_params",
        "fit_params_min_ctx",
        "fit_params_target",
        "flash_attn_type",
        "force_pure_content_parser",
        "grp_attn_n",
        "grp_attn_w",
        "image_max_tokens",
        "image_min_tokens",
        "lazy_mode",
        "load_mode",
        "load_mtp",
        "log_json",
        "main_gpu",
        "mmproj.path",
        "mmproj_device",
        "mmproj_use_gpu",
        "moe_cache_size",
        "mtmd_batch_max_tokens",
        "n_batch",
        "n_cache_reuse",
        "n_ctx_checkpoints",
        "n_gpu_layers",
        "n_keep",
        "n_parallel",
        "n_predict",
        "n_threads_http",
        "n_ubatch",
        "no_extra_bufts",
        "no_host",
        "no_kv_offload",
        "no_mmproj",
        "no_op_offload",
        "no_perf",
        "numa",
        "pooling_type",
        "prefill_assistant",
        "reasoning_format",
        "rope_freq_base",
        "rope_freq_scale",
        "rope_scaling_type",
        "slot_prompt_similarity",
        "special",
        "split_mode",
        "sse_ping_interval",
        "swa_full",
        "tensor_buft_overrides",
        "tensor_split",
        "use_jinja",
        "verbosity",
        "warmup",
        "yarn_attn_factor",
        "yarn_beta_fast",
        "yarn_beta_slow",
        "yarn_ext_factor",
        "yarn_orig_ctx",
    ]
)
_TAKEN_PARTS = ("cpuparams.", "cpuparams_batch.", "speculative.")
_NOT_TAKEN_WITHIN = (
    ".docker_repo",
    ".hf_file",
    ".hf_repo",
    ".url",
    ".cpumask",
    ".mask_valid",
    ".synth_rates",
    ".synth_len",
)

_GATEWAY = "the gateway is the server that clients reach; remove it"
_FETCHED = "every node fetches the file itself: write `engine_config.hf_model_id` and `gguf_file`, or a mirror"
_INSTEAD = {
    "n_ctx": "write `engine_config.max_total_tokens`, the context of each request",
    "kv_unified": "`max_total_tokens` and `full_context` say it; remove it",
    "kv_unified_per_slot": "`max_total_tokens` and `full_context` say it; remove it",
    "model_alias": "write `engine_config.model_id`, and further names in `engine_config.aliases`",
    "hf_token": "write `HF_TOKEN: ${env:HF_TOKEN}` in `runtime_env.env_vars`",
    "offline": _FETCHED,
    "lora_adapters": "adapters of llama.cpp are not served; remove it",
    "sleep_idle_seconds": "write `deployment_config.autoscaling_config.min_replicas: 0`",
    "system_prompt": "write it in `generation.prompt_format.default_system_message`",
    **dict.fromkeys(
        [
            "api_keys",
            "api_prefix",
            "cors_credentials",
            "cors_headers",
            "cors_methods",
            "cors_origins",
            "cors_origins_explicit",
            "endpoint_metrics",
            "endpoint_props",
            "endpoint_slots",
            "hostnames",
            "mcp_servers_config",
            "mcp_servers_json",
            "port",
            "public_path",
            "reuse_port",
            "server_base",
            "server_tools",
            "server_tools_runtime",
            "ssl_file_cert",
            "ssl_file_key",
            "timeout_read",
            "timeout_write",
            "ui",
            "ui_config_json",
            "ui_mcp_proxy",
            "models_autoload",
            "models_dir",
            "models_max",
            "models_preset",
            "models_preset_hf",
            "media_path",
        ],
        _GATEWAY,
    ),
}
_PARTS_INSTEAD = {
    "sampling.": "write request defaults in `generation.generate_kwargs`",
    "model.": _FETCHED,
    "mmproj.": "write `mmproj: {path: ...}`, a path on every node",
}
_NO_EFFECT = "it is for another program of llama.cpp and has no effect here; remove it"


def render() -> str:
    """The text of the table: one line per parameter, sorted by name."""
    if xllamacpp.__version__ != LLAMA_CPP_VERSION:
        raise SystemExit(f"error: xllamacpp {LLAMA_CPP_VERSION} is needed, {xllamacpp.__version__} is installed")
    found = sorted(_parameters(xllamacpp.CommonParams(), ""))
    lines = [f"    {json.dumps(name)}: {json.dumps(entry)}" for name, entry in found]
    head = f'{{\n  "xllamacpp": {json.dumps(LLAMA_CPP_VERSION)},\n  "parameters": {{\n'
    return head + ",\n".join(lines) + "\n  }\n}\n"


def _parameters(part: Any, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in dir(part):
        value = None if name.startswith("_") else getattr(part, name)
        if name.startswith("_") or callable(value):
            continue
        if type(value).__module__.startswith("xllamacpp") and not isinstance(value, Enum):
            yield from _parameters(value, f"{prefix}{name}.")
        else:
            yield prefix + name, _parameter(prefix + name, value)


def _parameter(name: str, value: Any) -> dict[str, Any]:
    entry = _typed(value)
    reserved = _reserved(name)
    return entry if reserved is None else {**entry, "reserved": reserved}


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, Enum):
        names = choices(type(value))
        default = next(text for text, name in names.items() if name == value.name)
        return {"types": ["string"], "values": list(names), "match": "any-case", "default": default}
    if isinstance(value, list):
        # Lists for devices are as long as llama.cpp has room for: their default says nothing.
        return {"types": ["array"]}
    if isinstance(value, bool):
        return {"types": ["boolean"], "default": value}
    if isinstance(value, int):
        return {"types": ["integer"], "default": value}
    if isinstance(value, float):
        return {"types": ["number"], "default": float(f"{value:.6g}")}
    if isinstance(value, str):
        return {"types": ["string"], "default": value}
    return {"types": ["object"]} if isinstance(value, dict) else {"types": []}


def _reserved(name: str) -> str | None:
    if name in _INSTEAD:
        return _INSTEAD[name]
    if name in _TAKEN or (name.startswith(_TAKEN_PARTS) and not name.endswith(_NOT_TAKEN_WITHIN)):
        return None
    return next((hint for part, hint in _PARTS_INSTEAD.items() if name.startswith(part)), _NO_EFFECT)

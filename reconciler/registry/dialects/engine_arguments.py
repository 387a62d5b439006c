"""`engine_kwargs` for the vLLM of their time, under the names and meanings of the pinned vLLM."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from reconciler.registry.dialects.speculation import translate_speculation
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.replaced_arguments import GONE_VALUES
from reconciler.registry.tables import VLLM_VERSION, EngineArgument, engine_arguments

ENGINE_KWARGS: KeyPath = ("engine_config", "engine_kwargs")
"""Where they stand in the canonical form."""

_RENAMED: Mapping[str, str] = {
    "max_num_seq": "max_num_seqs",
    "max_log_probs": "max_logprobs",
    "quantize": "quantization",
}

_TOKENIZER_POOL = "vLLM has no pool of tokenizers any more"
_SCHEDULING = "vLLM schedules requests itself now"
_EXECUTOR = "Ray Serve chooses the executor"
_CAPTURE = "vLLM chooses itself how long a sequence its CUDA graphs hold"

_OBSOLETE: Mapping[str, str] = {
    "disable_log_requests": "vLLM logs requests only on demand",
    "device": "vLLM takes the device it was built for",
    "swap_space": "vLLM recomputes preempted requests and swaps nothing",
    "num_tokenizer_actors": _TOKENIZER_POOL,
    "tokenizer_pool_size": _TOKENIZER_POOL,
    "tokenizer_pool_type": _TOKENIZER_POOL,
    "tokenizer_pool_extra_config": _TOKENIZER_POOL,
    "enable_json_logits_processors": "vLLM guides JSON output whenever a request asks for it",
    "enable_custom_nccl": "vLLM chooses how GPUs exchange results",
    "long_lora_scaling_factors": "vLLM serves no long-context adapters any more",
    "use_v2_block_manager": _SCHEDULING,
    "min_decodes_per_prefill": _SCHEDULING,
    "max_num_partial_prefills": _SCHEDULING,
    "num_scheduler_steps": _SCHEDULING,
    "preemption_mode": _SCHEDULING,
    "worker_use_ray": _EXECUTOR,
    "engine_use_ray": _EXECUTOR,
    "max_context_len_to_capture": _CAPTURE,
    "max_seq_len_to_capture": _CAPTURE,
    "load_s3_path": "vLLM had this cache of weights in a private version only; a mirror is `s3_mirror_config`",
    "sharded": "`scaling_config.num_workers` says it",
    "speculative_disable_by_batch_size": "vLLM speculates at every batch size",
    "spec_decode_disable_by_queue_size": "vLLM speculates at every queue length",
    "spec_decode_skip_kv_regeneration": "vLLM had it in a private version only",
}
"""Arguments that mean nothing to the pinned vLLM, and why."""


def translate_engine_kwargs(translator: Translator, source: KeyPath, *, handled: frozenset[str] = frozenset()) -> None:
    """Carry each argument of the mapping at `source`, except `handled` ones: the caller gives them their fate.

    What vLLM knows stays as it is, and the checks of the canonical form judge its type and value.
    """
    known = engine_arguments()
    for name in known.keys() | _RENAMED.keys() | _OBSOLETE.keys() | _COMPUTED.keys() | {"task"}:
        translator.known.add((*source, name))
    translate_speculation(translator, source)
    for name in _given(translator, source, handled):
        path = (*source, name)
        gone = GONE_VALUES.get((name, str(translator.get(*path))))
        if gone is not None:
            message = f"`{name}` does not take {quoted(translator.get(*path))} any more"
            translator.refuse(path, "engine-argument-values", message, gone)
        elif name in known:
            _translate_known(translator, path, known[name])
        elif name == "task":
            _translate_task(translator, path)
        elif name in _RENAMED:
            _rename(translator, source, name, _RENAMED[name], translator.get(*path))
        elif name in _OBSOLETE:
            translator.drop(path, _OBSOLETE[name])
        elif name in _COMPUTED:
            target, compute, reason = _COMPUTED[name]
            _rename(translator, source, name, target, compute(translator.get(*path)), reason)
        else:
            near = get_close_matches(name, [other for other in known if known[other].reserved is None], n=1)
            hint = f"did you mean {quoted(near[0])}?" if near else f"the schema lists those of vLLM {VLLM_VERSION}"
            translator.refuse(path, "known-engine-arguments", f"unknown engine argument {quoted(name)}", hint)


def _not(value: Any) -> Any:
    return not value if isinstance(value, bool) else value


def _pooler(value: Any) -> Any:
    """`normalize`, for vectors, and `softmax`, for classes, are one switch now."""
    return {_POOLER_KEYS.get(key, key): item for key, item in value.items()} if isinstance(value, Mapping) else value


_POOLER_KEYS = {"normalize": "use_activation", "softmax": "use_activation", "activation": "use_activation"}

_COMPUTED: Mapping[str, tuple[str, Any, str]] = {
    "override_pooler_config": (
        "pooler_config",
        _pooler,
        "`pooler_config` is its name now, and `use_activation` that of `normalize` and `softmax`",
    ),
    "enable_cuda_graph": ("enforce_eager", _not, "it is the opposite of `enforce_eager`"),
    "guided_decoding_backend": (
        "structured_outputs_config",
        lambda value: {"backend": value},
        "it is the `backend` of `structured_outputs_config` now",
    ),
    "rope_scaling": (
        "hf_overrides",
        lambda value: {"rope_scaling": value},
        "it is a part of the model's own config, which `hf_overrides` changes",
    ),
}
"""What becomes of an argument: the argument of today, its value from the old one, and why."""


def _given(translator: Translator, source: KeyPath, handled: frozenset[str]) -> Iterator[str]:
    """The arguments without a fate. Null is a known one's default, and left to `finish`."""
    for name in translator.keys(source):
        path = (*source, name)
        empty = path in translator.known and not translator.has(path)
        if name not in handled and not empty and not translator.decided(path):
            yield name


def _translate_known(translator: Translator, path: KeyPath, argument: EngineArgument) -> None:
    if argument.reserved is None:
        translator.copy(path, (*ENGINE_KWARGS, argument.name))
    else:
        message = f"`{argument.name}` has no place in `engine_kwargs`"
        translator.refuse(path, "reserved-engine-arguments", message, argument.reserved)


def _translate_task(translator: Translator, path: KeyPath) -> None:
    task = translator.get(*path)
    if task in ("embed", "embedding"):
        translator.map(path, ("engine_config", "type"), "EmbeddingEngine", "an embedding model has its own type")
    elif task in ("generate", "auto"):
        translator.keep(path, "it is what vLLM does anyway")
    else:
        message = f"the task {quoted(task)} is not served: a model generates text or makes embeddings"
        translator.refuse(path, "unsupported-task", message)


def _rename(
    translator: Translator, source: KeyPath, name: str, target: str, value: Any, reason: str | None = None
) -> None:
    path = (*source, name)
    if translator.has((*source, target)) or target in translator.value_at(ENGINE_KWARGS):
        message = f"`{name}` and `{target}` say the same thing"
        translator.refuse(path, "given-twice", message, "keep one of them")
    else:
        translator.map(path, (*ENGINE_KWARGS, target), value, reason or f"`{target}` is its name now")

"""What somebody may have meant with a key that is not known."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_RENAMED = {
    "max_concurrent_queries": "`max_ongoing_requests` is its name now",
    "target_num_ongoing_requests_per_replica": "`target_ongoing_requests` is its name now",
    "target_num_ongoing_requests": "`target_ongoing_requests` is its name now",
    "smoothing_factor": "write `upscaling_factor` and `downscaling_factor`; leave both out where it was 1.0",
    "upscale_smoothing_factor": "`upscaling_factor` is its name now",
    "downscale_smoothing_factor": "`downscaling_factor` is its name now",
    "metrics_interval_s": "Ray Serve sets it for the whole cluster now (RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_"
    "INTERVAL_S); remove it",
    "num_replicas": "write `autoscaling_config` with `min_replicas` equal to `max_replicas`",
    "user_config": "it is made of `engine_config`: request defaults in `generation`, adapters in `lora_config`",
    "model_config": "the section is `engine_config` now",
    "model_conf": "the section is `engine_config` now",
    "scheduler": "vLLM batches continuously: `max_total_tokens` and `engine_kwargs.max_num_batched_tokens` take the "
    "place of its policy; remove it",
    "batching": "vLLM always batches continuously; remove it",
    "initialization": "vLLM loads every model: put `dtype`, `revision` and `trust_remote_code` in `engine_kwargs`",
    "max_input_words": "tokens are counted, not words: write `engine_config.generation.max_input_tokens`",
    "max_input_length": "write `engine_config.generation.max_input_tokens`",
    "max_batch_size": "write `engine_kwargs.max_num_seqs`",
    "max_request_context_length": "write `max_total_tokens`",
    "max_model_len": "write `engine_config.max_total_tokens`",
    "tensor_parallel_size": "write `scaling_config.num_workers`",
    "tensor_parallelism": "write `scaling_config.num_workers`",
    "stopping_tokens": "`stopping_sequences` is its name now",
    "env_vars_to_propogate": "write each as `NAME: ${env:NAME}` in `runtime_env.env_vars`",
    "pg_timeout_s": "a plan refuses what cannot be placed; remove it",
    "multiplex_config": "write `engine_config.lora_config` with `max_num_adapters_per_replica`",
    "lora_mirror_config": "an adapter is an entry in its model's file: write its `source` in "
    "`engine_config.lora_config.adapters`",
    "model_loading_config": "write `engine_config` with `model_id` and `hf_model_id`",
    "llm_engine": "write `engine_config.type`",
    "accelerator_type": "write `scaling_config.resources_per_worker` such as `accelerator_type:L4: 0.001`",
    "placement_group_config": "write `scaling_config` with the resources of each worker",
    "generation_config": "write `engine_config.generation`",
    "model_init_kwargs": "put `dtype`, `revision` and `trust_remote_code` in `engine_kwargs`",
    "standalone_function_calling_model": "write `engine_kwargs.enable_auto_tool_choice` and `tool_call_parser`",
    "bos": "the tokenizer's own token is put in front of every prompt; remove it",
    "applications": "this is a file for Ray Serve itself; write one file for each model, with `engine_config`",
    "apiVersion": "this is a Kubernetes manifest; write one file for each model, with `engine_config`",
    "s3_aws_credentials": "the cluster's nodes need their own credentials; remove it",
    "max_surge_percent": "a plan chooses it for each rollout; write `rollout.strategy`",
}
"""Keys of the older RayLLM formats and of `ray.serve.llm`, and what takes their place."""


def hint_for(model: type[BaseModel], path: KeyPath) -> str:
    """What to write instead of the unknown key at the end of `path`, in a file of this form."""
    key = str(path[-1])
    sections = _sections(model)
    here = sections.get(tuple(part for part in path[:-1] if isinstance(part, str)), ())
    if key in _RENAMED:
        return _RENAMED[key]
    elsewhere = sorted(".".join(section) for section, keys in sections.items() if key in keys)
    if elsewhere:
        places = " or ".join(f"`{place}`" if place else "the top level" for place in elsewhere)
        return f"it belongs in {places}"
    near = get_close_matches(key, here, n=1, cutoff=0.6)
    if near:
        return f"did you mean {quoted(near[0])}?"
    if path[:-1] == ("engine_config",):
        return "arguments of the engine go in `engine_kwargs`; known here are " + _listed(here)
    return "known here are " + _listed(here)


def _listed(keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{key}`" for key in sorted(keys))


@cache
def _sections(model: type[BaseModel]) -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """The keys of every section of a form, by the section's path without list indices."""
    return dict(_walk(model, ()))


def _walk(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    yield path, tuple(model.model_fields)
    for name, info in model.model_fields.items():
        for section in _models_in(info.annotation):
            yield from _walk(section, (*path, name))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)

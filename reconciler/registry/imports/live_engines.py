"""An application of ours that runs no vLLM, back in the canonical form. Compiled again it is the same application."""

from collections.abc import Mapping
from typing import Any

ELSEWHERE = frozenset({"name", "max_surge_percent", "user_config"})
"""Keys of a deployment\'s options that no model file holds, or holds in another place."""
_MIRRORS = {"s3://": "s3_mirror_config", "gs://": "gcs_mirror_config"}


def canonical(config: Mapping[str, Any], route: Mapping[str, Any]) -> dict[str, Any] | None:
    """The model of an application's config and its entry in the routing table; None where it is neither llama.cpp's nor
    a service's."""
    args, deployment = config.get("args") or {}, (config.get("deployments") or [{}])[0]
    options = {key: value for key, value in deployment.items() if key not in ELSEWHERE}
    actor = args.get("ray_actor_options")
    if not isinstance(actor, Mapping):
        return None
    if isinstance(args.get("llama_cpp"), Mapping):
        engine, scaling, actor = _llama_cpp(args["llama_cpp"]), _scaling(actor), {**actor, "num_gpus": 0}
    elif isinstance(deployment.get("user_config"), Mapping):
        engine, scaling = _saas(deployment["user_config"], str(route.get("kind", "generation"))), None
    else:
        return None
    found = {
        "deployment_config": {
            **options,
            "ray_actor_options": {key: value for key, value in actor.items() if value != {}},
        },
        "engine_config": {"model_id": args.get("model_id"), **engine},
    }
    return found if scaling is None else {**found, "scaling_config": scaling}


def _llama_cpp(given: Mapping[str, Any]) -> dict[str, Any]:
    source = str(given.get("source"))
    mirror = next((key for scheme, key in _MIRRORS.items() if source.startswith(scheme)), None)
    length = {"max_total_tokens": given["max_total_tokens"]} if "max_total_tokens" in given else {"full_context": True}
    return {
        "type": "LlamaCppEngine",
        **({"hf_model_id": source} if mirror is None else {mirror: {"bucket_uri": source}}),
        **({"gguf_file": given["file"]} if "file" in given else {}),
        **length,
        "engine_kwargs": dict(given.get("params") or {}),
    }


def _scaling(actor: Mapping[str, Any]) -> dict[str, Any]:
    """Workers with the GPUs that there are, and nothing else: all the rest is the actor's."""
    gpus = actor.get("num_gpus", 0)
    workers = int(gpus) if gpus > 1 else 1
    return {"num_workers": workers, "num_gpus_per_worker": gpus / workers, "num_cpus_per_worker": 0}


def _saas(given: Mapping[str, Any], kind: str) -> dict[str, Any]:
    provider = "litellm" if given.get("protocol") == "litellm" else "openai_compatible"
    rest = {key: value for key, value in given.items() if key != "protocol"}
    return {"type": "SaaSEngine", "saas": {"provider": provider, "kind": kind, **rest}}

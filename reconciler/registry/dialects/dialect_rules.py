"""The rules about files in older formats: what each of them asks for, beside those of every file."""

from collections.abc import Mapping

DIALECT_RULES: Mapping[str, str] = {
    "accelerator-on-cpu": "A model that runs on CPUs asks for no accelerator.",
    "compiled-engine": "A model is given by its weights, not by an engine that another program compiled from them.",
    "data-parallel": "A replica holds one copy of the model; more copies are more replicas.",
    "engine-replaced": "vLLM runs models that were written for another engine. The weights are the same; which tokens "
    "come out may differ, so look at the answers before the old service is turned off.",
    "given-twice": "What has several names in a format is given under one of them.",
    "implied-autoscaling": "A format without an `autoscaling_config` had replicas of its own. They are taken; better "
    "write them out.",
    "implied-requests": "How many requests a replica takes is written out, where the format demanded it.",
    "mirror-credentials": "The cluster's nodes have the credentials that a bucket needs. None are fetched.",
    "mirror-options": "A mirror is a bucket. Of the options of `aws s3 sync` only `--no-sign-request` can be carried.",
    "mirror-store": "A bucket stands under the name of its store: `s3_mirror_config` or `gcs_mirror_config`.",
    "not-carried": "What a model file cannot say is an error, rather than left out.",
    "prompt-format-part": "The system message stands first, or inside the first user message.",
    "replica-runtime-env": "A model has one runtime environment, in `engine_config.runtime_env`.",
    "runtime-env-part": "A runtime environment holds `env_vars`, and `pip` as a list of packages.",
    "token-limits": "The limits of tokens do not contradict each other: `max_input_length` fits in "
    "`max_batch_prefill_tokens`, and both that and `max_total_tokens` in `max_batch_total_tokens`.",
    "unsupported-argument": "An argument of another library that changes what a model answers is carried, or an error.",
    "unsupported-engine": "A model is one that an engine runs: its weights for vLLM, or a GGUF file for llama.cpp.",
    "unsupported-task": "A model generates text or makes embeddings.",
}
"""By name."""

"""What makes a model fail to start, as a table of named patterns: how it shows in a log, and what to do about it.

The wording of the patterns is that of vLLM 0.29, PyTorch, the Hugging Face Hub, NCCL and Ray 2.60. The first row that
matches wins, so what is specific stands before what is general. `{0}` in a sentence is the pattern's first group that
matched.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """One known cause: its name, what proves it, the sentence for people and what would mend it."""

    name: str
    proof: re.Pattern[str]
    sentence: str
    advice: str


def _pattern(name: str, *, proof: str, sentence: str, advice: str) -> Pattern:
    return Pattern(name, re.compile(proof, re.IGNORECASE), sentence, advice)


PATTERNS: tuple[Pattern, ...] = (
    _pattern(
        "gateway_unreachable",
        proof=r"^no answer from https?://",
        sentence="the gateway does not answer from here",
        advice="check `gateway.address` in the cluster file, and that this machine reaches it",
    ),
    _pattern(
        "missing_node_variable",
        proof=r"`([A-Za-z_]\w*)` is not set on this node",
        sentence="the variable `{0}` is not set on the node",
        advice="set it where Ray is started on every node, or change the `${{env:{0}}}` that refers to it",
    ),
    _pattern(
        "kv_cache_too_small",
        proof=r"no available memory for the cache blocks|larger than the (?:available KV cache memory"
        r"|maximum number of tokens that can be stored in (?:the )?KV cache)",
        sentence="the memory left beside the weights is too small for the KV cache",
        advice="raise `gpu_memory_utilization`, lower `max_total_tokens` or `max_num_seqs`, or use more workers",
    ),
    _pattern(
        "memory_taken",
        proof=r"free memory on device .*is less than desired",
        sentence="another process holds memory of the GPU",
        advice="lower `gpu_memory_utilization`, or give the model a GPU of its own (`num_gpus_per_worker: 1`)",
    ),
    _pattern(
        "gpu_out_of_memory",
        proof=r"cuda out of memory|hip out of memory|torch\.(?:cuda\.)?OutOfMemoryError|CUDA error: out of memory",
        sentence="the GPU ran out of memory",
        advice="lower `gpu_memory_utilization`, `max_total_tokens` or `max_num_seqs`, or use more workers",
    ),
    _pattern(
        "out_of_memory",
        proof=r"node running low on memory|DefaultCPUAllocator: can't allocate|\bMemoryError\b|oom-kill"
        r"|(?:exit code|returncode) -9\b|killed by the OOM|Cannot allocate memory",
        sentence="the node ran out of memory",
        advice="use a node with more memory, a smaller model, or less room for the KV cache",
    ),
    _pattern(
        "context_too_long",
        proof=r"max_model_len \(\d+\) is greater than the derived max_model_len",
        sentence="`max_total_tokens` is more than the model's context",
        advice="lower `max_total_tokens` to what the model's config allows",
    ),
    _pattern(
        "gated_model",
        proof=r"GatedRepoError|access to model .* is restricted|cannot access gated repo|\b40[13] Client Error"
        r"|Invalid (?:user )?(?:token|credentials|username or password)",
        sentence="the Hugging Face Hub does not let this cluster have the model",
        advice="accept the model's licence on the Hub and give the token: `HF_TOKEN: ${{env:HF_TOKEN}}` in "
        "`runtime_env.env_vars`",
    ),
    _pattern(
        "hub_unreachable",
        proof=r"couldn't connect to 'https://huggingface\.co'|LocalEntryNotFoundError|OfflineModeIsEnabled"
        r"|Max retries exceeded .*huggingface\.co",
        sentence="the node cannot reach the Hugging Face Hub and has no copy of the model",
        advice="let the nodes reach huggingface.co, or load the model from a mirror or a path on every node",
    ),
    _pattern(
        "local_path_missing",
        proof=r"(?:invalid repository id or local directory specified|repo id must be in the form [^:]*)"
        r":\s*['\"]?(/[^'\"\s]+)|(?:No such file or directory|does not exist):\s*['\"]?(/[^'\"\s]+)",
        sentence="the path `{0}` does not exist on the node",
        advice="put the model there on every node, or correct `hf_model_id`",
    ),
    _pattern(
        "unknown_model",
        proof=r"RepositoryNotFoundError|\b404 Client Error|is not a valid model identifier"
        r"|invalid repository id or local directory specified|repo id must be in the form",
        sentence="the Hugging Face Hub does not know the model",
        advice="check `hf_model_id` (or `model_id`); a private model needs `HF_TOKEN: ${{env:HF_TOKEN}}`",
    ),
    _pattern(
        "remote_code",
        proof=r"trust_remote_code\s*=\s*True",
        sentence="the model brings code of its own, which is not trusted",
        advice="set `trust_remote_code: true` in `engine_kwargs` if you trust its authors",
    ),
    _pattern(
        "unsupported_model",
        proof=r"model architectures (\[.*?\]) (?:are not supported|failed to be inspected)",
        sentence="vLLM does not support the architecture {0}",
        advice="choose a model that vLLM 0.29 supports",
    ),
    _pattern(
        "indivisible_heads",
        proof=r"must be divisible by tensor parallel size",
        sentence="the model's attention heads cannot be divided among its workers",
        advice="choose another `num_workers`: the number of heads must be a multiple of it",
    ),
    _pattern(
        "unsupported_dtype",
        proof=r"bfloat16 is only supported on GPUs with compute capability",
        sentence="this kind of GPU cannot compute in bfloat16",
        advice="set `dtype: half` in `engine_kwargs`, or ask for a newer accelerator",
    ),
    _pattern(
        "no_gpu",
        proof=r"no NVIDIA GPU|no CUDA GPUs are available|failed to infer device type",
        sentence="the replica found no GPU",
        advice="check `num_gpus_per_worker` and that the node's driver works",
    ),
    _pattern(
        "nccl",
        proof=r"\bNCCL (?:error|WARN)|nccl[A-Z]\w*Error|DistBackendError",
        sentence="the workers cannot talk to each other (NCCL)",
        advice="check the network between the nodes, or keep the workers together (`placement_strategy: STRICT_PACK`)",
    ),
    _pattern(
        "no_space",
        proof=r"no space left on device",
        sentence="the node's disk is full",
        advice="make room where the node keeps downloaded models, or give the nodes larger disks",
    ),
    _pattern(
        "runtime_env",
        proof=r"RuntimeEnvSetupError|failed to set up (?:the )?runtime environment",
        sentence="the runtime environment could not be set up",
        advice="check the `pip` list of `runtime_env` and that the nodes reach the package index",
    ),
    _pattern(
        "no_such_resource",
        proof=r"to be scheduled|no available node types|cannot be scheduled|insufficient resources"
        r"|cannot provide a placement group|infeasible",
        sentence="no node has the resources that a replica needs",
        advice="`reconcile status` shows what the nodes have; lower `num_workers` or the replicas, or add nodes",
    ),
    _pattern(
        "import_error",
        proof=r"ModuleNotFoundError: No module named '([^']+)'|ImportError: (.+)",
        sentence="the code cannot be imported on the node: {0}",
        advice="install it in the cluster's image, or add it to the `pip` list of `runtime_env`",
    ),
    _pattern(
        "bad_argument",
        proof=r"unexpected keyword argument '([^']+)'|^((?:\w+\.)*ValueError: .+)|^((?:\d+ )?validation errors? for .+)"
        r"|(unrecognized arguments?: .+)|(argument \S+: invalid .+)",
        sentence="the engine refused an argument: {0}",
        advice="correct it in `engine_config`; `reconcile validate` knows the engine's arguments",
    ),
)
"""Known causes, the most specific first."""

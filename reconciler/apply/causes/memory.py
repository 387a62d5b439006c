"""What is missing at once, and what does not fit: GPU memory, the node's memory, shared memory, the context."""

from reconciler.apply.causes.pattern import pattern

PATTERNS = (
    pattern(
        "gateway_unreachable",
        proof=r"^no answer from https?://",
        sentence="the gateway does not answer from here",
        advice="check `gateway.address` in the cluster file, and that this machine reaches it",
    ),
    pattern(
        "missing_node_variable",
        proof=r"`([A-Za-z_]\w*)` is not set on this node",
        sentence="the variable `{0}` is not set on the node",
        advice="set it where Ray is started on every node, or change the `${{env:{0}}}` that refers to it",
    ),
    pattern(
        "kv_cache_too_small",
        proof=r"no available memory for the cache blocks|larger than the (?:available KV cache memory"
        r"|maximum number of tokens that can be stored in (?:the )?KV cache)",
        sentence="the memory left beside the weights is too small for the KV cache",
        advice="raise `gpu_memory_utilization`, lower `max_total_tokens` or `max_num_seqs`, or use more workers",
    ),
    pattern(
        "memory_taken",
        proof=r"free memory on device .*is less than desired",
        sentence="another process holds memory of the GPU",
        advice="lower `gpu_memory_utilization`, or give the model a GPU of its own (`num_gpus_per_worker: 1`)",
    ),
    pattern(
        "node_memory_taken",
        # vLLM's `v1/worker/cpu_worker.py`.
        proof=r"available memory on node \d+ .*is less than",
        sentence="the node has less free memory than vLLM wants on CPUs",
        advice="give the KV cache a size with `kv_cache_memory_bytes`, or lower `gpu_memory_utilization`, which is a "
        "share of the node's memory there",
    ),
    pattern(
        "gpu_out_of_memory",
        proof=r"cuda out of memory|hip out of memory|torch\.(?:cuda\.)?OutOfMemoryError|CUDA error: out of memory"
        r"|Cuda failure.*out of memory|CUBLAS_STATUS_ALLOC_FAILED",
        sentence="the GPU ran out of memory",
        advice="lower `gpu_memory_utilization`, `max_total_tokens` or `max_num_seqs`; where the weights alone are too "
        "large, use more workers or quantized weights",
    ),
    pattern(
        "out_of_memory",
        proof=r"node running low on memory|DefaultCPUAllocator: can't allocate|\bMemoryError\b|oom-kill"
        r"|(?:exit code|returncode) -9\b|killed by the OOM|Cannot allocate memory",
        sentence="the node ran out of memory",
        advice="use a node with more memory, a smaller model, or less room for the KV cache",
    ),
    pattern(
        "shared_memory",
        proof=r"--shm-size|insufficient shared memory|\bSIGBUS\b|Bus error|/dev/shm.*No space left"
        r"|No space left on device.*/dev/shm",
        sentence="the node's shared memory (/dev/shm) is too small",
        advice="give the container more: `--shm-size`, or on Kubernetes an `emptyDir` of medium `Memory` at /dev/shm",
    ),
    pattern(
        "batch_too_small",
        proof=r"max_num_batched_tokens \(\d+\) is smaller than max_model_len",
        sentence="a batch holds fewer tokens than the longest request",
        advice="raise `max_num_batched_tokens` in `engine_kwargs`, or lower `max_total_tokens`",
    ),
    pattern(
        "context_too_long",
        proof=r"max_model_len \(\d+\) is greater than the derived max_model_len",
        sentence="`max_total_tokens` is more than the model's context",
        advice="lower `max_total_tokens` to what the model's config allows",
    ),
)

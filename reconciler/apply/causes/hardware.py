"""What the model asks of vLLM and of the GPUs, and they cannot do."""

from reconciler.apply.causes.pattern import pattern

PATTERNS = (
    pattern(
        "remote_code",
        proof=r"trust_remote_code\s*=\s*True",
        sentence="the model brings code of its own, which is not trusted",
        advice="set `trust_remote_code: true` in `engine_kwargs` if you trust its authors",
    ),
    pattern(
        "unsupported_model",
        proof=r"model architectures (\[.*?\]) (?:are not supported|failed to be inspected)",
        sentence="vLLM does not support the architecture {0}",
        advice="choose a model that vLLM 0.29 supports",
    ),
    pattern(
        "indivisible_heads",
        proof=r"must be divisible by tensor parallel size",
        sentence="the model's attention heads cannot be divided among its workers",
        advice="choose another `num_workers`: the number of heads must be a multiple of it",
    ),
    pattern(
        "too_few_gpus",
        # `ParallelConfig` in vLLM's `config/parallel.py`.
        proof=r"World size \((\d+)\) is larger than the number of available GPUs",
        sentence="the model has {0} workers, and its node fewer GPUs",
        advice="lower `num_workers`, or leave `distributed_executor_backend` to Ray, which takes GPUs of several nodes",
    ),
    pattern(
        "unsupported_dtype",
        proof=r"bfloat16 is only supported on GPUs with compute capability",
        sentence="this kind of GPU cannot compute in bfloat16",
        advice="set `dtype: half` in `engine_kwargs`, or ask for a newer accelerator",
    ),
    pattern(
        "unsupported_quantization",
        proof=r"quantization method (\S+) is not supported for the current GPU",
        sentence="this kind of GPU cannot run the quantization {0}",
        advice="ask for a newer accelerator, or serve weights in another format",
    ),
    pattern(
        "old_driver",
        proof=r"NVIDIA driver on your system is too old|driver version is insufficient"
        r"|CUDA error: system has unsupported|forward compatibility was attempted",
        sentence="the node's NVIDIA driver is older than this CUDA needs",
        advice="update the driver on the nodes, or use an image whose CUDA it supports",
    ),
    pattern(
        "old_gpu",
        proof=r"no kernel image is available for execution on the device",
        sentence="vLLM was not built for this kind of GPU",
        advice="ask for another accelerator, or use an image whose vLLM is built for this one",
    ),
    pattern(
        "no_gpu",
        proof=r"no NVIDIA GPU|no CUDA GPUs are available|failed to infer device type",
        sentence="the replica found no GPU",
        advice="check `num_gpus_per_worker` and that the node's driver works",
    ),
    pattern(
        "nccl",
        proof=r"\bNCCL (?:error|WARN)|nccl[A-Z]\w*Error|DistBackendError|DistStoreError|DistNetworkError",
        sentence="the workers cannot talk to each other (NCCL)",
        advice="keep the workers together (`placement_strategy: STRICT_PACK`), or open the network between the nodes "
        "and name its interface: `NCCL_SOCKET_IFNAME` in `runtime_env.env_vars`; `NCCL_DEBUG: INFO` there says more",
    ),
)

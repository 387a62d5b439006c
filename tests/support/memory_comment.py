"""The memory arithmetic in the comment of a curated model file, read and recomputed."""

import re
from collections.abc import Iterator

from reconciler.registry.spec import ModelSpec

GPU_GIGABYTES = {"L4": 24, "A10G": 24, "A100-80G": 80, "H100": 80}
"""Memory by accelerator type, as the maker states it: a little less than what the driver reports."""

BYTES_PER_CACHED_NUMBER = 2
TOLERANCE_GB = 0.02

_NUMBER = r"(\d+(?:\.\d+)?)"
_REPLICA = re.compile(r"# Memory of one replica, (\d+) x ([\w-]+):")
_WEIGHTS = re.compile(rf"#   weights +(.+?) += +{_NUMBER} GB")
_TERM = re.compile(rf"{_NUMBER} B x {_NUMBER} bytes")
_TOKEN = re.compile(
    r"#   KV cache +2 x (\d+) layers x (\d+) KV heads \(of (\d+)\) x (\d+) x 2 bytes = (\d+) bytes per token"
)
_CACHE = re.compile(rf"# +(\d+) bytes x (\d+) tokens x (\d+) sequences at full length += +{_NUMBER} GB")
_OVERHEAD = re.compile(rf"#   overhead +(\d+) x {_NUMBER} GB for .+? += +{_NUMBER} GB")
_NEEDED = re.compile(rf"#   needed += +{_NUMBER} GB")
_THERE_IS = re.compile(rf"#   there is +(\d+) x (\d+) GB x {_NUMBER} += +{_NUMBER} GB")


def errors_in_memory_comment(text: str, spec: ModelSpec) -> list[str]:
    """What is wrong with the arithmetic in the comment of a model file, or with what it says of the file."""
    return list(_errors(text, spec))


def _errors(text: str, spec: ModelSpec) -> Iterator[str]:
    replica, weights, token = _REPLICA.search(text), _WEIGHTS.search(text), _TOKEN.search(text)
    cache, overhead = _CACHE.search(text), _OVERHEAD.search(text)
    needed, there_is = _NEEDED.search(text), _THERE_IS.search(text)
    if not (replica and weights and token and cache and overhead and needed and there_is):
        yield "a line of the arithmetic is missing"
        return
    workers, gpu = int(replica[1]), replica[2]
    layers, kv_heads, heads, head_size, per_token = (int(part) for part in token.groups())
    context, sequences = int(cache[2]), int(cache[3])
    utilization = float(there_is[3])

    terms = [float(billions) * float(size) for billions, size in _TERM.findall(weights[1])]
    yield from _differs("weights", float(weights[2]), sum(terms))
    yield from _differs("bytes per token", per_token, 2 * layers * kv_heads * head_size * BYTES_PER_CACHED_NUMBER)
    yield from _differs("bytes per token in the cache line", int(cache[1]), per_token)
    yield from _differs("cache", float(cache[4]), per_token * context * sequences / 1e9)
    yield from _differs("overhead", float(overhead[3]), int(overhead[1]) * float(overhead[2]))
    yield from _differs("needed", float(needed[1]), float(weights[2]) + float(cache[4]) + float(overhead[3]))
    yield from _differs("memory of the GPU", int(there_is[2]), GPU_GIGABYTES[gpu])
    yield from _differs("there is", float(there_is[4]), workers * GPU_GIGABYTES[gpu] * utilization)
    if float(needed[1]) > float(there_is[4]):
        yield f"{needed[1]} GB do not fit in {there_is[4]} GB"

    memory = spec.engine_config.memory
    if memory is None:
        yield "`engine_config.memory` is missing"
    else:
        yield from _differs("memory.weights_gb", memory.weights_gb, float(weights[2]))
        yield from _differs("memory.kv_bytes_per_token", memory.kv_bytes_per_token, per_token)
    kwargs, scaling = spec.engine_config.engine_kwargs, spec.scaling_config
    yield from _differs("context", context, spec.engine_config.max_total_tokens or 0)
    yield from _differs("utilization", utilization, kwargs["gpu_memory_utilization"])
    for line in (replica[1], overhead[1], there_is[1]):
        yield from _differs("workers", int(line), scaling.num_workers)
    if sequences > kwargs["max_num_seqs"]:
        yield f"{sequences} sequences are counted, the engine takes {kwargs['max_num_seqs']}"
    if f"accelerator_type:{gpu}" not in scaling.resources_per_worker:
        yield f"the workers do not ask for {gpu}"
    if heads % workers or kv_heads % workers:
        yield f"{workers} workers do not divide {heads} heads and {kv_heads} KV heads"


def _differs(what: str, written: float, computed: float) -> Iterator[str]:
    if abs(written - computed) > TOLERANCE_GB:
        yield f"{what}: {written} is written, {computed:.2f} is right"

"""`autoscaling_config` under the names of Ray Serve 2.4 to 2.9 and today, and what a format did without one."""

from dataclasses import dataclass

from reconciler.registry.dialects.translation import Translator, dotted
from reconciler.registry.key_path import KeyPath

TARGET: KeyPath = ("deployment_config", "autoscaling_config")
"""Where it stands in the canonical form."""


@dataclass(frozen=True, slots=True)
class AutoscalingDefaults:
    """What a format did without an `autoscaling_config`, and the target of one that named none."""

    min_replicas: int
    max_replicas: int
    target_ongoing_requests: float
    """Without an `autoscaling_config`."""
    initial_replicas: int | None = None
    """None where it is `min_replicas`."""
    omitted_target: float = 1.0
    """With one that gives no target: Ray's default, which was 1 until Ray 2.31."""


AVIARY = AutoscalingDefaults(min_replicas=1, initial_replicas=2, max_replicas=8, target_ongoing_requests=1.0)
"""`LLMDeployment` of Aviary 0.0.1 to 0.2.0 (`aviary/backend/server/app.py`)."""

RAYLLM = AutoscalingDefaults(min_replicas=1, max_replicas=10, target_ongoing_requests=10.0)
"""`VLLMDeployment` and `EmbeddingDeployment` of RayLLM 0.3 to 0.5."""

_SAME = (
    "min_replicas",
    "initial_replicas",
    "max_replicas",
    "look_back_period_s",
    "upscale_delay_s",
    "downscale_delay_s",
    "downscale_to_zero_delay_s",
    "upscaling_factor",
    "downscaling_factor",
    "aggregation_function",
)
_TARGET_NAMES = (
    "target_ongoing_requests",
    "target_num_ongoing_requests_per_replica",
    "target_num_ongoing_requests",
)
_METRICS_INTERVAL = "Ray Serve sets it for the whole cluster now (RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S)"
_FACTORS = {"upscale_smoothing_factor": "upscaling_factor", "downscale_smoothing_factor": "downscaling_factor"}


def translate_autoscaling(
    translator: Translator,
    source: KeyPath,
    defaults: AutoscalingDefaults,
) -> None:
    """Carry the `autoscaling_config` at `source`. Where there is none, write the replicas that the format had then."""
    if not translator.has(source):
        _write_defaults(translator, source, defaults)
        return
    for key in _SAME:
        translator.copy((*source, key), (*TARGET, key))
    if translate_first(translator, source, _TARGET_NAMES, (*TARGET, "target_ongoing_requests")) is None:
        position = translator.position(source)
        translator.put((*TARGET, "target_ongoing_requests"), defaults.omitted_target, position)
    if translator.has((*source, "metrics_interval_s")):
        translator.drop((*source, "metrics_interval_s"), _METRICS_INTERVAL)
    _translate_factors(translator, source)


def translate_first(translator: Translator, source: KeyPath, names: tuple[str, ...], target: KeyPath) -> str | None:
    """Carry the one of several names for the same thing that is given, and return it; a second one is refused."""
    given = [name for name in names if translator.has((*source, name))]
    for name in given[:1]:
        reason = None if name == target[-1] else f"`{target[-1]}` is its name now"
        translator.copy((*source, name), target, reason)
    for name in given[1:]:
        message = f"`{name}` and `{given[0]}` are two names for the same thing"
        translator.refuse((*source, name), "given-twice", message, "keep one of them")
    return given[0] if given else None


def _translate_factors(translator: Translator, source: KeyPath) -> None:
    for name, modern in _FACTORS.items():
        path = (*source, name)
        if not translator.has(path):
            continue
        if translator.has((*source, modern)):
            message = f"`{name}` and `{modern}` are two names for the same thing"
            translator.refuse(path, "given-twice", message, "keep one of them")
        else:
            translator.copy(path, (*TARGET, modern), f"`{modern}` is its name now")
    path = (*source, "smoothing_factor")
    value = translator.get(*path)
    if value is None:
        return
    if value == 1 and not isinstance(value, bool):
        translator.keep(path, "1 changes nothing")
        return
    factors = [factor for factor in _FACTORS.values() if factor not in translator.value_at(TARGET)]
    if not factors:
        translator.drop(path, "`upscaling_factor` and `downscaling_factor` are given, which come first")
        return
    translator.map(path, (*TARGET, factors[0]), value, "it is " + " and ".join(f"`{name}`" for name in factors))
    for factor in factors[1:]:
        translator.put((*TARGET, factor), value, translator.position(path))


def _write_defaults(translator: Translator, source: KeyPath, defaults: AutoscalingDefaults) -> None:
    position = translator.position(source)
    translator.put((*TARGET, "min_replicas"), defaults.min_replicas, position)
    if defaults.initial_replicas is not None:
        translator.put((*TARGET, "initial_replicas"), defaults.initial_replicas, position)
    translator.put((*TARGET, "max_replicas"), defaults.max_replicas, position)
    translator.put((*TARGET, "target_ongoing_requests"), defaults.target_ongoing_requests, position)
    message = f"`{dotted(source)}` is missing: {translator.dialect} then ran {defaults.min_replicas} to "
    message += f"{defaults.max_replicas} replicas, aiming at {defaults.target_ongoing_requests:g} requests each"
    translator.warn(position, "implied-autoscaling", message, "write it out")

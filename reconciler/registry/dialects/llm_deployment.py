"""`deployment_config` of an `LLMConfig`: options of Ray Serve today, over the defaults of the LLM builder."""

from collections.abc import Mapping
from typing import Any

from reconciler.registry.dialects.autoscaling import AutoscalingDefaults, translate_autoscaling
from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_DEPLOYMENT: KeyPath = ("deployment_config",)
_AUTOSCALING: KeyPath = (*_DEPLOYMENT, "autoscaling_config")

_NO_LIMIT = 1_000_000_000
"""What the builder writes where a file gives no `max_ongoing_requests` or `target_ongoing_requests`
(`ray.llm._internal.serve.constants`, 2.60)."""

_DEFAULTS = AutoscalingDefaults(
    min_replicas=1, max_replicas=1, target_ongoing_requests=_NO_LIMIT, omitted_target=_NO_LIMIT
)
_AUTO: Mapping[str, Any] = {"min_replicas": 1, "max_replicas": 100, "target_ongoing_requests": 2}
"""What `num_replicas: auto` means (`ray.serve._private.config.handle_num_replicas_auto`)."""

_SAME = (
    "max_ongoing_requests",
    "max_queued_requests",
    "health_check_period_s",
    "health_check_timeout_s",
    "graceful_shutdown_wait_loop_s",
    "graceful_shutdown_timeout_s",
)


def translate_llm_deployment(translator: Translator) -> None:
    """Carry `deployment_config`, the resources of the replica actor aside."""
    for key in _SAME:
        translator.copy((*_DEPLOYMENT, key), (*_DEPLOYMENT, key))
    limit = (*_DEPLOYMENT, "max_ongoing_requests")
    if not translator.has(limit):
        translator.put(limit, _NO_LIMIT, translator.position(_DEPLOYMENT))
    if translator.has((*_DEPLOYMENT, "num_replicas")):
        _translate_count(translator, (*_DEPLOYMENT, "num_replicas"))
    else:
        translate_autoscaling(translator, _AUTOSCALING, _DEFAULTS)


def _translate_count(translator: Translator, source: KeyPath) -> None:
    """A fixed number of replicas is written as equal bounds."""
    count = translator.get(*source)
    least, most = (*_AUTOSCALING, "min_replicas"), (*_AUTOSCALING, "max_replicas")
    if translator.has(_AUTOSCALING):
        message = "`num_replicas` and `autoscaling_config` both say how many replicas there are"
        translator.refuse(source, "given-twice", message, "keep one of them")
        translate_autoscaling(translator, _AUTOSCALING, _DEFAULTS)
    elif count == "auto":
        translator.map(source, least, _AUTO["min_replicas"], "`auto` means from 1 to 100, aiming at 2 requests each")
        for key, value in _AUTO.items():
            translator.put((*_AUTOSCALING, key), value, translator.position(source))
    elif isinstance(count, int) and not isinstance(count, bool):
        translator.map(source, least, count, "a fixed number is `min_replicas` equal to `max_replicas`")
        translator.put(most, count, translator.position(source))
        translator.put((*_AUTOSCALING, "target_ongoing_requests"), _NO_LIMIT, translator.position(source))
    else:
        message = f"`num_replicas` must be a number or `auto`, not {quoted(count)}"
        translator.refuse(source, "wrong-type", message)

"""A placement group that is written out, and other settings that take the place of several."""

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import ModelCheck, rule_name
from reconciler.registry.key_path import KeyPath
from reconciler.registry.registry import ModelEntry

_BUNDLES: KeyPath = ("scaling_config", "bundles")
_PER_WORKER = ("num_gpus_per_worker", "num_cpus_per_worker", "resources_per_worker")


def bundles_alone(entry: ModelEntry) -> Iterable[Diagnostic]:
    """`bundles` are all resources of a replica, so that nothing else says any of them."""
    scaling, deployment = entry.spec.scaling_config, entry.spec.deployment_config
    if scaling.bundles is None:
        return
    others: list[KeyPath] = [("scaling_config", key) for key in _PER_WORKER if key in scaling.model_fields_set]
    if "ray_actor_options" in deployment.model_fields_set:
        others.append(("deployment_config", "ray_actor_options"))
    for path in others:
        message = f"`{path[-1]}` says what `bundles` says already"
        yield Diagnostic(entry.position(path), rule_name(bundles_alone), message, "remove one of them")


def bundles_for_workers(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Every worker of a replica on GPUs has a bundle; with fewer the engine would wait for ever."""
    scaling = entry.spec.scaling_config
    if scaling.bundles is None:
        return
    gpus = sum(1 for bundle in scaling.bundles if bundle.get("GPU"))
    if not scaling.bundles:
        message, hint = "`bundles` is empty", "write a mapping of resources for each worker, such as `{CPU: 1, GPU: 1}`"
        yield Diagnostic(entry.position(_BUNDLES), rule_name(bundles_for_workers), message, hint)
    elif gpus and gpus < scaling.num_workers:
        message = f"{gpus} of the `bundles` have a GPU, and there are {scaling.num_workers} workers"
        yield Diagnostic(entry.position(_BUNDLES), rule_name(bundles_for_workers), message, "write one for each worker")


def one_context(entry: ModelEntry) -> Iterable[Diagnostic]:
    """The most tokens of a request are given once."""
    engine = entry.spec.engine_config
    if engine.full_context and engine.max_total_tokens is not None:
        message = "`full_context` takes the place of `max_total_tokens`"
        position = entry.position(("engine_config", "full_context"))
        yield Diagnostic(position, rule_name(one_context), message, "remove one of them")


BUNDLE_CHECKS: tuple[ModelCheck, ...] = (bundles_alone, bundles_for_workers, one_context)
"""The checks of this module."""

"""How many replicas, and how many requests each of them takes."""

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.check import ModelCheck, rule_name
from reconciler.registry.key_path import KeyPath
from reconciler.registry.registry import ModelEntry

_AUTOSCALING: KeyPath = ("deployment_config", "autoscaling_config")

METRICS_INTERVAL_S = 10
"""Seconds between the reports of a replica to the autoscaler, which Ray Serve sets for a whole cluster."""


def replica_bounds(entry: ModelEntry) -> Iterable[Diagnostic]:
    """min_replicas ≤ initial_replicas ≤ max_replicas, as Ray's `AutoscalingConfig` demands when it is deployed."""
    scaling = entry.spec.deployment_config.autoscaling_config
    rule = rule_name(replica_bounds)
    if scaling.min_replicas > scaling.max_replicas:
        key = "min_replicas" if (*_AUTOSCALING, "min_replicas") in entry.positions else "max_replicas"
        message = f"`min_replicas` is {scaling.min_replicas}, more than `max_replicas`, {scaling.max_replicas}"
        yield Diagnostic(entry.position((*_AUTOSCALING, key)), rule, message, "raise `max_replicas`")
    elif scaling.initial_replicas is not None and not (
        scaling.min_replicas <= scaling.initial_replicas <= scaling.max_replicas
    ):
        message = (
            f"`initial_replicas` is {scaling.initial_replicas}, outside `min_replicas` and `max_replicas`, "
            f"{scaling.min_replicas} to {scaling.max_replicas}"
        )
        yield Diagnostic(entry.position((*_AUTOSCALING, "initial_replicas")), rule, message, "remove it")


def initial_replicas_reset(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Ray sets the live count to `initial_replicas` again with any later change of the deployment."""
    if entry.spec.deployment_config.autoscaling_config.initial_replicas is not None:
        message = "every later change of this model sets its replicas back to `initial_replicas`, whatever the load"
        yield Diagnostic(
            entry.position((*_AUTOSCALING, "initial_replicas")),
            rule_name(initial_replicas_reset),
            message,
            "remove it, and raise `min_replicas` if one replica is too few to begin with",
            Severity.WARNING,
        )


def ongoing_requests(entry: ModelEntry) -> Iterable[Diagnostic]:
    """The autoscaler must be able to see its target: a replica never has more than `max_ongoing_requests`."""
    deployment = entry.spec.deployment_config
    scaling = deployment.autoscaling_config
    target = scaling.target_ongoing_requests
    if scaling.min_replicas < scaling.max_replicas and target > deployment.max_ongoing_requests:
        path: KeyPath = (*_AUTOSCALING, "target_ongoing_requests")
        message = (
            f"`target_ongoing_requests` is {target:g}, more than `max_ongoing_requests`, "
            f"{deployment.max_ongoing_requests}: no load would ever add a replica"
        )
        position = entry.position(path if path in entry.positions else ("deployment_config", "max_ongoing_requests"))
        yield Diagnostic(position, rule_name(ongoing_requests), message, "aim at about 40 % of `max_ongoing_requests`")


def look_back_period(entry: ModelEntry) -> Iterable[Diagnostic]:
    """The autoscaler looks back over more than one report of the replicas, which come every 10 seconds."""
    period = entry.spec.deployment_config.autoscaling_config.look_back_period_s
    if period is not None and period <= METRICS_INTERVAL_S:
        message = f"`look_back_period_s` is {period:g}, and replicas report every {METRICS_INTERVAL_S} seconds"
        position = entry.position((*_AUTOSCALING, "look_back_period_s"))
        hint = f"write more than {METRICS_INTERVAL_S}; Ray's default is 30"
        yield Diagnostic(position, rule_name(look_back_period), message, hint, Severity.WARNING)


def delay_without_zero(entry: ModelEntry) -> Iterable[Diagnostic]:
    """`downscale_to_zero_delay_s` is about the last replica, which only `min_replicas: 0` lets go."""
    scaling = entry.spec.deployment_config.autoscaling_config
    if scaling.downscale_to_zero_delay_s is not None and scaling.min_replicas > 0:
        message = f"`downscale_to_zero_delay_s` has no effect with `min_replicas: {scaling.min_replicas}`"
        position = entry.position((*_AUTOSCALING, "downscale_to_zero_delay_s"))
        hint = "write `min_replicas: 0`, or remove it"
        yield Diagnostic(position, rule_name(delay_without_zero), message, hint, Severity.WARNING)


REPLICA_CHECKS: tuple[ModelCheck, ...] = (
    replica_bounds,
    initial_replicas_reset,
    ongoing_requests,
    look_back_period,
    delay_without_zero,
)
"""The checks of this module."""

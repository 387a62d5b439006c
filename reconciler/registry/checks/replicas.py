"""How many replicas, and how many requests each of them takes."""

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.check import rule_name
from reconciler.registry.registry import KeyPath, ModelEntry

_AUTOSCALING: KeyPath = ("deployment_config", "autoscaling_config")


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
    target = deployment.autoscaling_config.target_ongoing_requests
    if target > deployment.max_ongoing_requests:
        path: KeyPath = (*_AUTOSCALING, "target_ongoing_requests")
        message = (
            f"`target_ongoing_requests` is {target:g}, more than `max_ongoing_requests`, "
            f"{deployment.max_ongoing_requests}: no load would ever add a replica"
        )
        position = entry.position(path if path in entry.positions else ("deployment_config", "max_ongoing_requests"))
        yield Diagnostic(position, rule_name(ongoing_requests), message, "aim at about 40 % of `max_ongoing_requests`")

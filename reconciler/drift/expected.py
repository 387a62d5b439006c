"""What differs and may: the autoscaler's choices, options of one rollout, and what Ray filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.drift.report import Expected
from reconciler.plan.change import Change, FieldChange
from reconciler.plan.impact import ROLLOUT_OPTIONS
from reconciler.plan.text import plural
from reconciler.state.desired import DesiredApplication
from reconciler.state.json_value import JsonValue, same
from reconciler.state.live import LiveApplication, LiveState


def expected(
    entry: DesiredApplication,
    there: LiveApplication,
    change: Change,
    live: LiveState,
    defaults: Mapping[str, JsonValue],
) -> tuple[list[Expected], Change]:
    """What is explained about an application of ours, and the change without the fields that are."""
    explained = {field.path: _default(field, defaults) for field in change.fields}
    rest = tuple(field for field in change.fields if explained[field.path] is None)
    by_default = [Expected(entry.name, path, text) for path, text in explained.items() if text is not None]
    found = [*by_default, *_scaled(entry, there), *_rollout(entry, there), *_logging(entry, there, live)]
    return found, replace(change, fields=rest)


def _default(field: FieldChange, defaults: Mapping[str, JsonValue]) -> str | None:
    """Why a field may differ: live spells out Ray's default, which the registry leaves to Ray."""
    keys = field.path.rpartition("].")
    if not field.path.startswith("deployments[") or field.after_set or not field.before_set:
        return None
    option = keys[2]
    if option in defaults and same(field.before, defaults[option]):
        return "written out on the cluster, and Ray's default anyway"
    return None


def _scaled(entry: DesiredApplication, there: LiveApplication) -> Iterator[Expected]:
    target = sum(deployment.target_num_replicas for deployment in there.deployments)
    if there.deployments and target != entry.min_replicas and entry.min_replicas < target <= entry.max_replicas:
        bounds = f"{entry.min_replicas} to {entry.max_replicas}"
        yield Expected(entry.name, "replicas", f"the autoscaler runs {plural(target, 'replica')} of {bounds}")


def _rollout(entry: DesiredApplication, there: LiveApplication) -> Iterator[Expected]:
    if there.application is None:
        return
    for name, options in sorted(there.application.deployments.items()):
        for option in sorted(ROLLOUT_OPTIONS & options.keys()):
            yield Expected(entry.name, f"deployments[{name}].{option}", "left by the last rollout; says only how")


def _logging(entry: DesiredApplication, there: LiveApplication, live: LiveState) -> Iterator[Expected]:
    config = there.application.config.get("logging_config") if there.application else None
    if config is not None and live.global_logging_config is not None and same(config, live.global_logging_config):
        yield Expected(entry.name, "logging_config", "Ray copies the cluster's own into every application")

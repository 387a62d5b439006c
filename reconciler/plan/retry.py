"""Having Ray try a config again that failed.

Ray gives the version of a deployment three tries for each replica and then stops: the same config sent again changes
nothing (`DeploymentState.deploy` in `ray.serve._private.deployment_state` 2.60), and a failed rolling update stays
failed until the version is another one (`DeploymentState._set_target_state`). `graceful_shutdown_timeout_s` is part of
that version, only the controller uses it, and running replicas keep it without noticing: so a thousandth of a second
more is the mild way to ask for another try. That mark means nothing and is never shown as a difference.

A config that could not even be built has no version yet: Ray builds it again on every PUT
(`ApplicationState.apply_app_config`), so it needs no mark.
"""

from collections.abc import Mapping

from reconciler.plan.change import Change, Impact
from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue, canonical
from reconciler.state.live import LiveApplication

MARKED_OPTION = "graceful_shutdown_timeout_s"
_MARKS_S = (0.001, 0.002)
"""Two, because a try after a marked one needs another version again."""


def retry(change: Change, there: LiveApplication) -> Change:
    """The change of an application that failed to deploy, made so that Ray tries again, with what that does to the
    replicas of an earlier version."""
    assert change.after is not None
    impact = Impact.ROLLING_RESTART if there.serves else Impact.NONE
    return Change(change.name, change.before, _marked(change.after, there), change.fields, impact)


def without_mark(value: JsonValue) -> JsonValue:
    """The value of `MARKED_OPTION` as somebody meant it."""
    return canonical(round(float(value), 2)) if _is_number(value) else value


def _marked(application: Application, there: LiveApplication) -> Application:
    effective = {deployment.name: deployment.options.get(MARKED_OPTION) for deployment in there.deployments}
    deployments = [_mark(entry, effective.get(entry["name"])) for entry in application.config["deployments"]]
    return Application({**application.config, "deployments": deployments})


def _mark(override: Mapping[str, JsonValue], effective: JsonValue) -> Mapping[str, JsonValue]:
    if not _is_number(effective):
        return override
    base = without_mark(override.get(MARKED_OPTION, effective))
    marked = (round(base + mark, 3) for mark in _MARKS_S)
    return {**override, MARKED_OPTION: next(value for value in marked if value != round(effective, 3))}


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""The body of each wave's `PUT /api/serve/applications/`.

PUT is total: what the body does not list is deleted. So a body starts from everything that is live, in Ray's own
words, and only what a wave acts on is replaced or left out.
"""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.plan.impact import BATCH_OPTION, SURGE_OPTION
from reconciler.plan.plan import Action, Rollout
from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue
from reconciler.state.live import ApplicationStatus, LiveState

Configs = dict[str, Mapping[str, JsonValue]]


def sent_along(live: LiveState) -> Iterator[Application]:
    """The applications that a document repeats unless it changes them. One that Ray is deleting would come back to
    life, and one that a program deployed is not touched by a PUT."""
    return (
        entry.application
        for entry in live.applications
        if entry.declarative and entry.application is not None and entry.status is not ApplicationStatus.DELETING
    )


def live_configs(live: LiveState) -> Configs:
    """Their configs as they are live, by name."""
    return {application.name: application.config for application in sent_along(live)}


def carry_out(configs: Configs, actions: Iterable[Action]) -> Configs:
    """The configs after these actions."""
    result = dict(configs)
    for action in actions:
        if action.change.after is None:
            del result[action.name]
        else:
            result[action.name] = rollout_config(action.change.after, action.rollout)
    return result


def rollout_config(application: Application, rollout: Rollout | None) -> Mapping[str, JsonValue]:
    """An application's config with the options of one rollout in each of its deployments."""
    if rollout is None:
        return application.config
    options: dict[str, JsonValue] = {SURGE_OPTION: rollout.surge_percent}
    if rollout.batch_share is not None:
        options[BATCH_OPTION] = rollout.batch_share
    deployments = [{**override, **options} for override in application.config["deployments"]]
    return {**application.config, "deployments": deployments}


def document(live: LiveState, configs: Configs) -> Mapping[str, JsonValue]:
    """The whole body: the cluster-wide options repeated, the applications sorted by name."""
    return {**live.options, "applications": [configs[name] for name in sorted(configs)]}

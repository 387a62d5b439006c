"""Whether an application has reached what was asked of it. Pure: one look at a live state, no patience of its own.

A PUT makes every application DEPLOYING before it is answered, so RUNNING after it means the new target is reached
(`ray.serve._private.application_state.ApplicationState._set_target_state` 2.60). Replica ids prove it once more.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from reconciler.apply.diagnosis import diagnose
from reconciler.apply.document import Config, same_config
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveDeployment, LiveState


class Standing(Enum):
    """How far an application is."""

    PENDING = auto()
    REACHED = auto()
    FAILED = auto()
    TAKEN = auto()
    """Somebody else changed or deleted it meanwhile."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far an application is, what it waits for or why it failed, and its replicas of the new version."""

    standing: Standing
    message: str
    running: int = 0
    target: int = 0


def judge(live: LiveState, name: str, config: Config | None, replaced: Collection[str] = ()) -> Verdict:
    """How far the application of that name is.

    `config` is what was sent for it, None when it is to be gone; `replaced` are the ids of the replicas that must all
    be gone.
    """
    entry = live.application(name)
    if config is None:
        return _judge_delete(entry)
    if entry is None or entry.status is ApplicationStatus.DELETING:
        return Verdict(Standing.TAKEN, "somebody else deleted it meanwhile")
    submitted = entry.application.config if entry.application else None
    if not same_config(config, submitted, live.global_logging_config):
        return Verdict(Standing.TAKEN, "somebody else changed it meanwhile")
    if entry.status in (ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY):
        return Verdict(Standing.FAILED, failure_message(entry))
    return _progress(entry, config, replaced)


def _judge_delete(live: LiveApplication | None) -> Verdict:
    if live is None:
        return Verdict(Standing.REACHED, "gone")
    if live.status is not ApplicationStatus.DELETING:
        return Verdict(Standing.TAKEN, "somebody else deployed it again meanwhile")
    left = sum(len(deployment.replicas) for deployment in live.deployments)
    return Verdict(Standing.PENDING, f"{left} replicas still stopping")


def failure_message(live: LiveApplication) -> str:
    """Everything Ray says about an application: the messages of its deployments say why, its own only that. May be
    empty."""
    messages = (*(deployment.message for deployment in live.deployments), live.message)
    return "\n".join(dict.fromkeys(message.strip() for message in messages if message.strip()))


def _progress(live: LiveApplication, config: Config, replaced: Collection[str]) -> Verdict:
    least = _least_replicas(config)
    running = sum(len(_new(deployment, replaced)) for deployment in live.deployments)
    target = sum(_target(deployment, least) for deployment in live.deployments)
    waits = tuple(_waits(live, least, replaced))
    return Verdict(Standing.PENDING if waits else Standing.REACHED, "; ".join(waits) or "serves", running, target)


def _waits(live: LiveApplication, least: Mapping[str, int], replaced: Collection[str]) -> Iterator[str]:
    """What is still missing, in words."""
    if not live.deployments:
        yield "building the application"
        return
    said = "\n".join(found.message for found in live.deployments).strip()
    if live.status is not ApplicationStatus.RUNNING and said:
        yield diagnose(said, "").sentence
    elif any(len(_new(found, replaced)) < _target(found, least) for found in live.deployments):
        yield "starting new replicas"
    elif live.status is not ApplicationStatus.RUNNING:
        yield f"Ray says {live.status.value}"
    old = sum(replica.replica_id in replaced for found in live.deployments for replica in found.replicas)
    if old:
        yield f"{old} of the old replicas still there"


def _new(deployment: LiveDeployment, replaced: Collection[str]) -> tuple[str, ...]:
    return tuple(replica_id for replica_id in deployment.running if replica_id not in replaced)


def _target(deployment: LiveDeployment, least: Mapping[str, int]) -> int:
    """How many replicas must run: the lower bound, or fewer when Ray aims at fewer (`target_capacity`). What the
    autoscaler wants beyond that may have no room and is not waited for."""
    return min(least.get(deployment.name, deployment.target_num_replicas), deployment.target_num_replicas)


def _least_replicas(config: Config) -> dict[str, int]:
    """The lower bound of each deployment that the config gives an autoscaling block."""
    return {
        entry["name"]: int(entry["autoscaling_config"].get("min_replicas", 1))
        for entry in config.get("deployments") or ()
        if isinstance(entry.get("autoscaling_config"), Mapping)
    }

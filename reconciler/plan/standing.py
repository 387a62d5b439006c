"""What of ours stands on a cluster, in sixteen characters: to tell later whether it is still, or again, the same."""

from reconciler.plan.diff import comparable
from reconciler.plan.match import is_owned
from reconciler.state.json_value import digest
from reconciler.state.live import ApplicationStatus, LiveState

LENGTH = 16
"""Hexadecimal digits. Nobody gains from two that collide."""


def standing(live: LiveState, owner: str) -> str:
    """The start of the SHA-256 over the owner's applications, of all that counts as a difference (`plan.diff`)."""
    configs = {
        entry.name: comparable(entry.application, live.global_logging_config)
        for entry in live.applications
        if entry.application and entry.status is not ApplicationStatus.DELETING and is_owned(entry, owner)
    }
    return digest(configs)[:LENGTH]

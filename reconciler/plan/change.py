"""A Change is a fact: one application before and after, field by field, with what it does to running replicas."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue


class Impact(StrEnum):
    """What a change does to the running replicas of its application, mildest first."""

    NONE = "none"
    IN_PLACE = "in place"
    RECONFIGURE = "reconfigure"
    ROLLING_RESTART = "rolling restart"
    CREATE = "create"
    DELETE = "delete"

    @property
    def restarts(self) -> bool:
        """Whether running replicas are replaced."""
        return self is Impact.ROLLING_RESTART


HIDDEN = "(hidden)"
"""Stands for the value of an environment variable, which never leaves the two configs."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs: where in the application's config, the values on both sides and its own impact.

    `path` is dotted, with deployments addressed by name: `deployments[Gateway].user_config.models`. A side where the
    field is not set at all is None with the matching `..._set` False. Values below `env_vars` are `HIDDEN`.
    """

    path: str
    before: JsonValue
    after: JsonValue
    before_set: bool
    after_set: bool
    impact: Impact
    reason: str
    """Why this field has that impact, in Ray's terms."""
    source: str = ""
    """Where Ray says so (`plan.rules`); empty where it is our own rule."""


@dataclass(frozen=True, slots=True)
class Change:
    """One application before and after. At least one side is there; both with no fields is no change."""

    name: str
    before: Application | None
    after: Application | None
    fields: tuple[FieldChange, ...]
    impact: Impact

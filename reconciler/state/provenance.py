"""What the gateway remembers: who applied what, how it ended, and how long models took to load.

It stands below one key of the gateway's `user_config`, which Ray updates in place and no comparison counts as a
difference. Anybody may have edited it, and older versions wrote less, so every part is read by itself and what makes
no sense is as if it were not there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeGuard

from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState
from reconciler.state.names import GATEWAY_APPLICATION, GATEWAY_DEPLOYMENT, PROVENANCE_KEY

HISTORY_KEY = "history"
LOAD_SECONDS_KEY = "load_seconds"

MAX_RECORDS = 20
"""Applies that are remembered, the latest ones."""
MAX_NAMES = 10
"""Names in one list of a record; the rest is a number."""
MAX_SECONDS = 7 * 24 * 3600.0
"""No model takes a week to load."""
MAX_TEXT = 250
"""Characters of one text. Ids of models, the longest of them, may have 200."""

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Names:
    """Some names, and how many more there were."""

    names: tuple[str, ...] = ()
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.names)

    @classmethod
    def of(cls, names: Sequence[str]) -> "Names":
        """As many of the names as a record takes."""
        kept = tuple(name[:MAX_TEXT] for name in names[:MAX_NAMES])
        return cls(kept, len(names) - len(kept))


@dataclass(frozen=True, slots=True)
class Record:
    """One apply. What is not known is None."""

    time: str | None
    """When it began, ISO 8601."""
    who: str | None
    commit: str | None
    """The commit that the registry was at: for a rollback the one it went back to. None outside git."""
    tree: str | None
    """Git's hash of the registry folder in that commit."""
    dirty: bool
    """Whether the files were not those of the commit."""
    version: str | None
    """Of reconciler."""
    is_rollback: bool = False
    rolled_back_from: str | None = None
    """The commit that a rollback went back from."""
    models: Names = Names()
    """The models it was limited to; empty when it was for all."""
    counts: Mapping[str, int] | None = None
    """How many actions ended in which way (`apply.outcome.Result`, and `held`); None when it came to no end."""
    failed: Names = Names()
    """The applications that failed."""
    left: str | None = None
    """What stood on the cluster when it ended (`plan.standing`)."""

    @property
    def ended_well(self) -> bool:
        """Whether it came to its end and nothing failed."""
        return self.counts is not None and not self.failed

    @property
    def plain(self) -> dict[str, JsonValue]:
        """As it is written: what says nothing is left out, except for the six keys that are always there."""
        fixed = {
            "commit": self.commit,
            "tree": self.tree,
            "dirty": self.dirty,
            "time": self.time,
            "who": self.who,
            "version": self.version,
        }
        optional = {
            "rollback": self.is_rollback,
            "rolled_back_from": self.rolled_back_from,
            "models": list(self.models.names),
            "more_models": self.models.more,
            "failed": list(self.failed.names),
            "more_failed": self.failed.more,
            "left": self.left,
        }
        counts = {} if self.counts is None else {"counts": dict(self.counts)}
        return {**fixed, **{key: value for key, value in optional.items() if value}, **counts}


def history(live: LiveState, owner: str | None = None) -> tuple[Record, ...]:
    """The applies that the gateway remembers, newest first; of that owner's gateway alone, if one is named."""
    remembered = _remembered(live, owner)
    entries = remembered.get(HISTORY_KEY)
    found = tuple(_records(entries if isinstance(entries, list) else ()))
    # Versions before the history kept the last apply alone.
    return found or tuple(_records((remembered,)))


def load_seconds(live: LiveState, owner: str | None = None) -> Mapping[str, float]:
    """Seconds from the PUT until a replica of the new version served, by application, as last measured."""
    found = _remembered(live, owner).get(LOAD_SECONDS_KEY)
    return {
        name: float(seconds)
        for name, seconds in (found.items() if isinstance(found, dict) else ())
        if _is_duration(seconds)
    }


def _remembered(live: LiveState, owner: str | None) -> Mapping[str, JsonValue]:
    gateway = live.application(GATEWAY_APPLICATION)
    application = gateway.application if gateway else None
    if application is None or owner not in (None, application.owner):
        return {}
    user_config = application.deployments.get(GATEWAY_DEPLOYMENT, {}).get("user_config")
    found = user_config.get(PROVENANCE_KEY) if isinstance(user_config, dict) else None
    return found if isinstance(found, dict) else {}


def _records(entries: Sequence[JsonValue]) -> Iterator[Record]:
    for entry in entries[:MAX_RECORDS]:
        if isinstance(entry, dict) and _time(entry.get("time")):
            yield Record(
                time=_time(entry.get("time")),
                who=_text(entry.get("who")),
                commit=_hash(entry.get("commit")),
                tree=_hash(entry.get("tree")),
                dirty=entry.get("dirty") is True,
                version=_text(entry.get("version")),
                is_rollback=entry.get("rollback") is True,
                rolled_back_from=_hash(entry.get("rolled_back_from")),
                models=_names(entry, "models"),
                counts=_counts(entry.get("counts")),
                failed=_names(entry, "failed"),
                left=_text(entry.get("left")),
            )


def _time(value: JsonValue) -> str | None:
    try:
        return value if isinstance(value, str) and datetime.fromisoformat(value) else None
    except ValueError:
        return None


def _text(value: JsonValue) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) and value else None


def _hash(value: JsonValue) -> str | None:
    """A hash of git. It is handed to git, which would take other texts for a name or an option."""
    return value if isinstance(value, str) and _HASH.fullmatch(value) else None


def _names(entry: Mapping[str, JsonValue], key: str) -> Names:
    found = entry.get(key)
    names = [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
    more = entry.get(f"more_{key}")
    kept = Names.of(names)
    return replace(kept, more=kept.more + more) if names and _is_count(more) else kept


def _counts(value: JsonValue) -> Mapping[str, int] | None:
    if not isinstance(value, dict):
        return None
    return {key[:MAX_TEXT]: count for key, count in list(value.items())[:MAX_NAMES] if _is_count(count)}


def _is_count(value: JsonValue) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_duration(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_SECONDS

"""The plan file: a plan that was shown to somebody, to be carried out later exactly so or not at all.

It is the plan's JSON with a time of creation and expiry and a seal over everything. To apply it, the plan is computed
again from the registry and the live cluster; `why_stale` says in which respects that is not what was saved.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from reconciler.plan.encode import FORMAT_VERSION, plan_json
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import ActionKind, Plan
from reconciler.state.json_value import JsonValue, digest


class PlanFileError(Exception):
    """A file is no plan that can be applied: why, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A saved plan: its JSON, when it was made, when it expires, and what was allowed."""

    document: Mapping[str, JsonValue]
    created: datetime
    expires: datetime
    options: PlanOptions

    @property
    def cluster(self) -> str:
        """The cluster it is for."""
        return str(self.document["cluster"])

    @property
    def rollback_to(self) -> str | None:
        """The commit that it goes back to, of a saved rollback."""
        found = self.document.get("rollback_to")
        return None if found is None else str(found)


def dump(plan: Plan, *, created: datetime, lifetime: timedelta) -> str:
    """The text of a plan file that may be applied from `created` (with a time zone) for `lifetime`."""
    document = {
        **plan_json(plan),
        "created": created.astimezone(UTC).isoformat(timespec="seconds"),
        "expires": (created + lifetime).astimezone(UTC).isoformat(timespec="seconds"),
    }
    return json.dumps({**document, "seal": digest(document)}, indent=2) + "\n"


def load(text: str) -> PlanFile:
    """Read a plan file. Raises `PlanFileError` when it is none, of another version, or was edited."""
    try:
        document = json.loads(text)
    except ValueError:
        raise PlanFileError("this is not a plan file: it is not JSON", _AGAIN) from None
    version = document.get("format_version") if isinstance(document, dict) else None
    if not isinstance(version, str):
        raise PlanFileError("this is not a plan file: it has no `format_version`", _AGAIN)
    if version.split(".")[0] != FORMAT_VERSION.split(".")[0]:
        raise PlanFileError(
            f"the plan file has format version {version}; this version reads {FORMAT_VERSION}",
            "apply it with the version that made it, or " + _AGAIN,
        )
    sealed = {key: value for key, value in document.items() if key != "seal"}
    if "seal" not in document:
        raise PlanFileError("this plan was printed, not saved: it has no `seal`", _AGAIN)
    if document["seal"] != digest(sealed):
        raise PlanFileError("the plan file was edited after it was made: its seal does not match", _AGAIN)
    return PlanFile(
        document=sealed,
        created=datetime.fromisoformat(sealed["created"]),
        expires=datetime.fromisoformat(sealed["expires"]),
        options=options_of(sealed["options"]),
    )


def options_of(mapping: Mapping[str, JsonValue]) -> PlanOptions:
    """The options that a plan was made with; those of a later minor version are left out. `why_stale` compares what
    comes of them, so one that matters is noticed."""
    known = {field.name for field in fields(PlanOptions)}
    values = {key: value for key, value in mapping.items() if key in known}
    return PlanOptions(**{**values, "models": tuple(values.get("models", ()))})


_AGAIN = "make one with `reconcile plan --out FILE`"


def why_stale(plan_file: PlanFile, plan: Plan, now: datetime) -> tuple[str, ...]:
    """Why the saved plan may not be applied, given the plan that would be made now; empty when it may be.

    What only describes the moment, such as the resources in use or a replica count that the autoscaler chose, makes no
    plan stale.
    """
    saved, current = plan_file.document, plan_json(plan)
    if saved.get("as_of") is not None:
        return (f"it rests on a snapshot of {saved['as_of']}, not on the cluster",)
    return (
        *_expired(plan_file, now),
        *_moved(saved, current),
        *_other_registry(saved["source"], current["source"], bool(plan_file.options.models)),
        *_other_live_state(saved, current),
    )


def _expired(plan_file: PlanFile, now: datetime) -> Iterator[str]:
    if now >= plan_file.expires:
        yield f"it expired at {plan_file.expires:%Y-%m-%d %H:%M} UTC"


def _moved(saved: Mapping[str, JsonValue], current: Mapping[str, JsonValue]) -> Iterator[str]:
    if saved["cluster"] != current["cluster"]:
        yield f"it was made for the cluster `{saved['cluster']}`, not `{current['cluster']}`"
    elif saved["address"] != current["address"]:
        yield f"the cluster's address was {saved['address']} and is {current['address']} now"
    if saved["ray_version"] != current["ray_version"]:
        yield f"the cluster ran Ray {saved['ray_version']} and runs {current['ray_version']} now"


def _other_registry(saved: Mapping[str, JsonValue], current: Mapping[str, JsonValue], selected: bool) -> Iterator[str]:
    if selected:
        # A plan for some models depends on their files and the cluster's alone, and all of that is in the digest.
        if saved["digest"] != current["digest"]:
            yield "what the registry says about this cluster or the chosen models has changed since"
        return
    # A merge or a squash is another commit of the very files that were reviewed.
    if saved["tree"] != current["tree"] or (saved["tree"] is None and saved["commit"] != current["commit"]):
        yield f"the registry was at {_revision(saved)} and is at {_revision(current)} now"
    if saved["digest"] != current["digest"]:
        yield "what the registry says about this cluster has changed since"
    elif saved["dirty"] != current["dirty"]:
        yield "the registry has uncommitted changes that it did not have, or the other way round"


def _revision(source: Mapping[str, JsonValue]) -> str:
    commit = f"commit {source['commit'][:12]}" if source["commit"] else "no commit"
    return f"{commit} (tree {source['tree'][:12]})" if source["tree"] else commit


def _other_live_state(saved: Mapping[str, JsonValue], current: Mapping[str, JsonValue]) -> Iterator[str]:
    before, after = _essence(saved), _essence(current)
    changed = False
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            changed = True
            yield f"`{name}`: {_turn(before.get(name), after.get(name))}"
    if not changed and saved["live_fingerprint"] != current["live_fingerprint"]:
        yield "somebody changed an application on the cluster, or its Serve options, that the plan does not touch"


def _essence(document: Mapping[str, JsonValue]) -> dict[str, tuple[str, JsonValue]]:
    """What is to happen to each application: how to say it, and all that must not differ."""
    held = {hold["action"]["application"]: (hold["action"], f"held by {hold['guard']}") for hold in document["holds"]}
    doing = {
        action["application"]: (action, f"wave {number}")
        for number, wave in enumerate(document["waves"], start=1)
        for action in wave["actions"]
    }
    return {
        name: (
            f"{_deed(action)} ({where})",
            [where, *(action[key] for key in ("kind", "impact", "fields")), _way(action["rollout"])],
        )
        for name, (action, where) in (held | doing).items()
    }


def _deed(action: Mapping[str, JsonValue]) -> str:
    return f"update, {action['impact']}" if action["kind"] == ActionKind.UPDATE else str(action["kind"])


def _way(rollout: JsonValue) -> JsonValue:
    return rollout and [rollout["strategy"], rollout["surge_percent"], rollout.get("batch_share")]


def _turn(saved: tuple[str, JsonValue] | None, current: tuple[str, JsonValue] | None) -> str:
    said, would_say = saved[0] if saved else "nothing to do", current[0] if current else "nothing to do"
    if said == would_say:
        return f"the plan says {said}, which would change other fields or values now"
    return f"the plan says {said}; it would say {would_say} now"

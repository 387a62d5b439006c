"""The lines of the event stream. The published form is `apply.schema.event_schema`."""

from collections.abc import Sequence
from typing import assert_never

from reconciler import __version__
from reconciler.apply.events import (
    DocumentSent,
    Event,
    Finished,
    LeaseAwaited,
    LeaseReleased,
    LeaseTaken,
    Progress,
    RollbackStarted,
    SmokeAnswered,
    WaveStarted,
)
from reconciler.apply.outcome import Outcome
from reconciler.plan.encode import plan_json
from reconciler.plan.plan import Plan
from reconciler.state.json_value import JsonValue
from reconciler.views.outcome_json import outcome_document

FORMAT_VERSION = "1.0"
"""Major and minor, by the rules of `schemas/README.md`."""

Line = dict[str, JsonValue]


def event_json(event: Event) -> Line:
    """What happened. A new kind of event without a form here is a type error."""
    match event:
        case WaveStarted(number, count, applications):
            return {"event": "wave-started", "number": number, "count": count, "applications": list(applications)}
        case DocumentSent(listed, reason):
            return {"event": "document-sent", "applications": listed, "reason": reason}
        case Progress():
            return {
                "event": "progress",
                "application": event.application,
                "phase": event.phase.value,
                "message": event.message,
                "running": event.running,
                "target": event.target,
                "seconds": round(event.seconds, 3),
            }
        case SmokeAnswered(application, asked, answer, seconds):
            return {
                "event": "smoke-answered",
                "application": application,
                "asked": asked,
                "answer": answer,
                "seconds": round(seconds, 3),
            }
        case RollbackStarted(application, cause):
            return {"event": "rollback-started", "application": application, "cause": cause}
        case Finished(outcome):
            return {"event": "finished", "outcome": outcome_document(outcome)}
        case LeaseAwaited(holder, since, until, seconds):
            return {
                "event": "lease-awaited",
                "holder": holder,
                "since": since or None,
                "until": until or None,
                "seconds": round(seconds, 3),
            }
        case LeaseTaken(number, seconds):
            return {"event": "lease-taken", "number": number, "seconds": round(seconds, 3)}
        case LeaseReleased(certain, _):
            return {"event": "lease-released", "certain": certain}
        case _:
            assert_never(event)


def started_json(plan: Plan, waited_for: Sequence[str]) -> Line:
    """The first line of a run: what is about to be carried out, and by which version of reconcile."""
    return {"event": "started", "reconcile": __version__, "plan": _plan(plan, waited_for)}


def planned_again_json(plan: Plan, waited_for: Sequence[str]) -> Line:
    """The plan was made anew before anything was written, because another run wrote meanwhile."""
    return {"event": "planned-again", "plan": _plan(plan, waited_for)}


def ended_json(result: str, outcomes: Sequence[Outcome], seconds: float, error: str | None) -> Line:
    """The last line of a run that was not killed."""
    return {
        "event": "ended",
        "result": result,
        "seconds": round(seconds, 3),
        "error": error,
        "outcomes": [outcome_document(outcome) for outcome in outcomes],
    }


def _plan(plan: Plan, waited_for: Sequence[str]) -> Line:
    return {
        "digest": plan_json(plan)["digest"],
        "live_fingerprint": plan.live_fingerprint,
        "cluster": plan.cluster,
        "address": plan.address,
        "ray_version": plan.ray_version,
        "source": {"commit": plan.source.commit, "dirty": plan.source.dirty},
        "models": list(plan.options.models),
        "waves": [[action.name for action in wave.actions] for wave in plan.waves],
        "held": [hold.action.name for hold in plan.holds],
        "waited_for": list(waited_for),
    }

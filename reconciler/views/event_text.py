"""One event of apply as one line for people."""

from reconciler.apply.events import (
    DocumentSent,
    Event,
    Finished,
    LeaseAwaited,
    LeaseReleased,
    LeaseTaken,
    Phase,
    Progress,
    RollbackStarted,
    SmokeAnswered,
    WaveStarted,
)
from reconciler.apply.lease_record import times
from reconciler.views.printable import cut, listed, printable
from reconciler.views.style import PLAIN, Style


def event_text(event: Event, style: Style = PLAIN) -> str:
    """What happened, without the application's details that the outcome shows at the end."""
    match event:
        case WaveStarted(number, count, applications):
            step = f"step {number} of {count}: " if count > 1 else "changing "
            return style.bold(f"{step}{listed(applications)}")
        case DocumentSent(applications, reason):
            return f"config with {applications} applications accepted ({printable(reason)})"
        case Progress():
            return f"{printable(event.application)}: {progress_text(event)}"
        case SmokeAnswered(application, _, answer, seconds):
            said = f': "{cut(printable(answer), 60)}"' if answer else ""
            return f"{printable(application)}: answered a real request in {seconds:.1f} s{said}"
        case RollbackStarted(application, cause):
            return style.red(f"{printable(application)}: failed, going back to what was there: {printable(cause)}")
        case LeaseAwaited(holder, since, until, seconds):
            who = f"{printable(holder)} writes to the cluster now, {printable(times(since, until))}"
            return style.yellow(f"waiting for the lease, {seconds:.0f} s so far: {who}")
        case LeaseTaken(number, seconds):
            waited = f" after {seconds:.0f} s" if seconds >= 1.0 else ""
            return f"lease {number} on the cluster taken{waited}"
        case LeaseReleased(certain, ttl_s):
            if certain:
                return "lease given back"
            return style.yellow(f"the lease could not be given back; it ends by itself within {ttl_s:.0f} s")
        case Finished(outcome):
            paint = style.red if outcome.result.is_failure else style.green
            return paint(f"{printable(outcome.application)}: {outcome.result.value} after {outcome.seconds:.0f} s")


def progress_text(event: Progress) -> str:
    """Where one action stands: phase, replicas, what is waited for, since when."""
    parts = [event.phase.value]
    if event.target:
        of_what = "replicas" if event.phase is Phase.ROLLING_BACK else "new replicas"
        parts.append(f"{event.running} of {event.target} {of_what}")
    if event.message:
        parts.append(cut(printable(event.message), 80))
    return ", ".join([*parts, f"{event.seconds:.0f} s"])

"""One look at a cluster: what `reconcile status` shows."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reconciler.apply.unlock import standing
from reconciler.cli.choose_model import choose_application
from reconciler.cli.session import Session
from reconciler.serve.errors import ServeError
from reconciler.state.json_value import JsonValue
from reconciler.status.encode import status_json
from reconciler.status.observe import observe
from reconciler.status.report import StatusReport
from reconciler.views.last_apply import last_apply, last_apply_text
from reconciler.views.lease import lease_json, lease_text
from reconciler.views.status_model import status_model
from reconciler.views.status_text import Surroundings, status_text
from reconciler.views.style import Style


@dataclass(frozen=True, slots=True)
class Look:
    """The report, of one application where one was asked for, and what is beside it."""

    report: StatusReport
    around: Surroundings
    document: dict[str, JsonValue]
    """The same for programs."""
    is_whole: bool
    """Whether it is about all applications."""
    trouble: str | None
    """What could not be asked beside it."""

    def text(self, style: Style) -> str:
        """The same for people."""
        if self.is_whole:
            return status_text(self.report, style, self.around)
        [entry] = self.report.applications
        return status_model(self.report, entry, style, self.around)


def look(session: Session, model: str | None) -> Look:
    """Look once, at one model or at all. Raises Failure or `ServeError`."""
    live = session.live()
    work = session.connection.work()
    report = observe(session.target.desired, live, work, datetime.now(UTC).isoformat(timespec="seconds"))
    if model is not None:
        name = choose_application(model, [entry.name for entry in report.applications])
        chosen = tuple(entry for entry in report.applications if entry.name == name)
        report = replace(report, applications=chosen)
    trouble = None
    holder = ""
    lease: JsonValue = None
    try:
        found = standing(session.connection.client)
        holder, lease = lease_text(found), lease_json(found)
    except ServeError as error:
        trouble = f"whether somebody writes to the cluster now is not known: {error.message}"
    record = last_apply(live, session.target.entry.cluster.owner)
    around = Surroundings(last_apply_text(record) if record else "", holder)
    return Look(report, around, status_json(report, record and record.plain, lease), model is None, trouble)

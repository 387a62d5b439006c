"""Waiting for everything that one PUT set going, side by side, until each application has its Outcome.

The cluster is read again and again, soon at first, and every application that is not finished is looked at: it waits,
it is asked for a real answer, or it has failed and goes back alone. No application waits for another one, except for
the gateway, which carries the questions to the others.
"""

from collections.abc import Callable, Sequence

from reconciler.apply.diagnosis import diagnose
from reconciler.apply.document import Document
from reconciler.apply.errors import ApplyStopped, StateUnknown
from reconciler.apply.events import DocumentSent, Phase, Progress, RollbackStarted, SmokeAnswered
from reconciler.apply.evidence import first_line
from reconciler.apply.exchange import NotTaken, read
from reconciler.apply.logs import new_logs
from reconciler.apply.means import Means
from reconciler.apply.outcome import Outcome, Result
from reconciler.apply.question import nobody_to_ask, put_questions
from reconciler.apply.smoke import SmokeAnswer, SmokeFailed
from reconciler.apply.success import success
from reconciler.apply.waiting import Standing, Verdict, failure_message, judge
from reconciler.apply.watch import Watch
from reconciler.plan.plan import ActionKind
from reconciler.state.env_values import env_values
from reconciler.state.live import LiveState
from reconciler.state.names import GATEWAY_APPLICATION

POLL_S = 1.0
"""Seconds between two looks at the most."""
QUICK_POLL_S = 0.1
"""And at the least: what is done in a moment is noticed in a moment."""
POLL_SHARE = 0.02
"""A look follows after this share of the time waited so far, so that waiting is hardly longer than it has to be."""
BLIND_S = 120.0
"""Seconds without a believable report after which apply gives up looking."""
ASKING_S = 60.0
"""Seconds in which a new version has to answer once it runs."""

Undo = Callable[[Watch, Document], Document]
"""Takes one application back; gets what is expected to be live and returns what is expected then."""


class Pursuit:
    """Everything that is under way after one PUT. `expected` is what is supposed to be live, rollbacks included."""

    def __init__(
        self,
        watches: Sequence[Watch],
        expected: Document,
        means: Means,
        *,
        undo: Undo | None,
        record: Callable[[Outcome], None],
    ) -> None:
        self.expected = expected
        self._watches = watches
        self._gateway = next((watched for watched in watches if watched.name == GATEWAY_APPLICATION), None)
        self._means = means
        self._undo = undo
        self._record = record
        self._seen_at = self._began = self._now
        self._look_s = 0.0
        self._due: list[tuple[Watch, Verdict]] = []
        """What runs and has not been asked yet."""

    def run(self) -> None:
        """Return when every application has its outcome, or soon after a stop is requested. Raises `StateUnknown` when
        the cluster cannot be read for long."""
        while self._pending and not self._means.stop.requested:
            try:
                live = self._look()
            except StateUnknown:
                self._abandon("the cluster cannot be read any more")
                raise
            if live:
                self._measure(live)
                for watched in self._pending:
                    if not self._means.stop.requested:
                        self._advance(watched, live)
                self._ask(live)
            if self._pending:
                self._means.clock.sleep(self._pause)
        self._abandon("apply was stopped")

    @property
    def _now(self) -> float:
        return self._means.clock.now()

    @property
    def _pending(self) -> tuple[Watch, ...]:
        return tuple(watched for watched in self._watches if watched.outcome is None)

    @property
    def _pause(self) -> float:
        # A dashboard that needs seconds for its answer is not kept busy all the time.
        return max(min(POLL_S, max(QUICK_POLL_S, POLL_SHARE * (self._now - self._began))), self._look_s)

    def _look(self) -> LiveState | None:
        begun = self._now
        try:
            live = read(self._means.reader)
        except StateUnknown:
            # A dashboard that restarts must not fail a rollout that takes twenty minutes.
            if self._now - self._seen_at >= BLIND_S:
                raise
            return None
        self._seen_at = self._now
        self._look_s = self._seen_at - begun
        return live

    def _advance(self, watched: Watch, live: LiveState) -> None:
        verdict = judge(live, watched.name, self.expected.configs.get(watched.name), watched.replaced)
        self._say(watched, verdict)
        if verdict.standing is Standing.TAKEN:
            message = f"{verdict.message}; run `reconcile plan` to see what is live"
            self._finish(watched, Result.FAILED, message, live)
        elif verdict.standing is Standing.FAILED:
            self._fail(watched, "it failed to run", live)
        elif verdict.standing is Standing.REACHED:
            self._reached(watched, verdict, live)
        if watched.outcome is None and watched.phase is not Phase.ASKING and self._now >= watched.deadline:
            watched.timed_out = watched.phase is Phase.WAITING
            count = f"{verdict.running} of {verdict.target} new replicas run, " if verdict.target else ""
            self._fail(watched, f"not done after {watched.timeout_s:.0f} s ({count}{verdict.message})", live)

    def _say(self, watched: Watch, verdict: Verdict) -> None:
        message = first_line(verdict.message)
        seconds = self._now - watched.begun
        self._means.emit(Progress(watched.name, watched.phase, message, verdict.running, verdict.target, seconds))

    def _measure(self, live: LiveState) -> None:
        """Take the time at once: a question to one application may take a minute of another one's."""
        for watched in self._pending:
            entry = live.application(watched.name) if watched.loads and watched.load_seconds is None else None
            if entry and not watched.known.issuperset(entry.replica_ids):
                watched.load_seconds = self._now - watched.begun

    def _reached(self, watched: Watch, verdict: Verdict, live: LiveState) -> None:
        if watched.phase is Phase.ROLLING_BACK:
            result = Result.TIMED_OUT if watched.timed_out else Result.ROLLED_BACK
            back = "removed again" if watched.previous is None else "its previous config serves again"
            self._finish(watched, result, f"{watched.failure}; {back}", live)
        elif not watched.asks:
            self._finish(watched, Result.APPLIED, success(watched, live), live)
        else:
            if watched.phase is Phase.WAITING:
                watched.enter(Phase.ASKING, self._now)
            self._due.append((watched, verdict))

    def _ask(self, live: LiveState) -> None:
        """Ask all that have come to it, the gateway first: it carries the questions to the others."""
        due, self._due = self._due, []
        self._put_questions([one for one in due if one[0] is self._gateway], live)
        others = [one for one in due if one[0] is not self._gateway]
        if self._gateway is None or self._gateway.outcome is not None:
            self._put_questions(others, live)
        for watched, _ in others if self._gateway is not None and self._gateway.outcome is None else ():
            watched.since = self._now

    def _put_questions(self, due: Sequence[tuple[Watch, Verdict]], live: LiveState) -> None:
        if self._means.stop.requested:
            return
        ready = []
        for watched, verdict in due:
            reason = nobody_to_ask(watched, self._gateway, self.expected, live)
            if reason is None:
                ready.append((watched, verdict))
            else:
                note = f"not asked for an answer: {reason}"
                self._finish(watched, Result.APPLIED, f"{success(watched, live)}; {note}", live)
        answers = put_questions([watched for watched, _ in ready], self.expected, self._means.smoke)
        for (watched, verdict), answer in zip(ready, answers, strict=True):
            if isinstance(answer, SmokeFailed):
                self._unanswered(watched, verdict, answer, live)
            else:
                self._answered(watched, answer, live)

    def _unanswered(self, watched: Watch, verdict: Verdict, error: SmokeFailed, live: LiveState) -> None:
        # One that is scaled to zero loads its model only now, and adapters are fetched while they are waited for.
        until = watched.since + ASKING_S if verdict.running and not watched.adapters else watched.deadline
        if error.settling and self._now < until:
            return
        if error.unreachable:
            # Nothing is known against the new version, and the old one would be asked the same way.
            told = f"it runs and stays, but could not be asked: {error.message}"
            self._finish(watched, Result.FAILED, f"{told}; check `gateway.address` of the cluster file", live)
        else:
            self._fail(watched, "it runs but gave no answer", live, error.message)

    def _answered(self, watched: Watch, answer: SmokeAnswer, live: LiveState) -> None:
        self._means.emit(SmokeAnswered(watched.name, answer.asked, answer.text, answer.seconds))
        self._finish(watched, Result.APPLIED, f"{success(watched, live)}; answered a real request", live)

    def _fail(self, watched: Watch, what: str, live: LiveState, answer: str = "") -> None:
        entry = live.application(watched.name)
        said = answer or (failure_message(entry) if entry else "")
        if watched.phase is Phase.ROLLING_BACK:
            told = f"{watched.failure}; {watched.way_back}, but {what}"
            self._finish(watched, Result.FAILED, f"{told}: {diagnose(said, '').sentence}" if said else told, live)
            return
        watched.failure = f"{what}: {answer}" if answer else what
        if watched.kind is ActionKind.DELETE:
            self._finish(watched, Result.FAILED, f"{watched.failure}; Ray goes on deleting it", live)
            return
        submitted = entry.application.config if entry and entry.application else {}
        watched.cause = diagnose(said, new_logs(watched, entry, self._means.reader)).without(env_values(submitted))
        if self._undo is None:
            self._finish(watched, Result.FAILED, f"{watched.failure}; left as it is", live)
        elif watched.kind is ActionKind.RETRY:
            still = "replicas of an earlier version go on serving" if entry and entry.serves else "nothing of it serves"
            self._finish(watched, Result.FAILED, f"tried again, and {watched.failure}; left as it is: {still}", live)
        elif not watched.is_previous_proven:
            why = "not rolled back, because the config before this one had failed as well"
            self._finish(watched, Result.FAILED, f"{watched.failure}; {why}", live)
        else:
            self._roll_back(watched, self._undo, live)

    def _roll_back(self, watched: Watch, undo: Undo, live: LiveState) -> None:
        self._means.emit(RollbackStarted(watched.name, str(watched.cause)))
        try:
            self.expected = undo(watched, self.expected)
        except (ApplyStopped, NotTaken) as error:
            told = f"{watched.failure}; it could not be rolled back: {error.message}"
            self._finish(watched, Result.FAILED, f"{told}; mend its file and run `reconcile apply` again", live)
            return
        self._means.emit(DocumentSent(len(self.expected.configs), f"roll back {watched.name}"))
        watched.replaced = frozenset()
        watched.enter(Phase.ROLLING_BACK, self._now)

    def _abandon(self, reason: str) -> None:
        for watched in self._pending:
            if watched.phase is Phase.ROLLING_BACK:
                told = f"{watched.failure}; {watched.way_back}, but {reason} before that was done"
                self._finish(watched, Result.FAILED, told)
            else:
                told = f"{reason} while it was on its way; Ray goes on, and running apply again resumes"
                self._finish(watched, Result.SKIPPED, told)

    def _finish(self, watched: Watch, result: Result, message: str, live: LiveState | None = None) -> None:
        entry = live.application(watched.name) if live else None
        watched.outcome = Outcome(
            application=watched.name,
            result=result,
            message=message,
            replicas_before=watched.before if live else (),
            replicas_after=entry.replica_ids if entry else (),
            seconds=self._now - watched.begun,
            cause=str(watched.cause) if watched.cause else None,
            log_excerpt=watched.cause.evidence if watched.cause else (),
            load_seconds=watched.load_seconds if result is Result.APPLIED else None,
        )
        self._record(watched.outcome)

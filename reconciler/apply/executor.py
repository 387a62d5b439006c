"""Carrying a plan out, wave by wave.

A wave is one PUT: read and compare, send and compare, then wait for everything it set going. What fails goes back
alone, the rest goes on, and later waves carry the failed application as it is then. A cluster that is not what the
plan was made from stops everything before anything is written.
"""

from collections.abc import Callable
from functools import partial

from reconciler.apply.clock import Clock
from reconciler.apply.document import Document
from reconciler.apply.errors import ApplyStopped
from reconciler.apply.events import DocumentSent, Event, Finished, WaveStarted
from reconciler.apply.exchange import Exchange, Fence, NotTaken, no_fence
from reconciler.apply.means import Means
from reconciler.apply.outcome import Outcome, Result
from reconciler.apply.provenance import with_provenance
from reconciler.apply.pursuit import Pursuit
from reconciler.apply.rollback import roll_back
from reconciler.apply.smoke import SmokeTest
from reconciler.apply.stop import StopSignal
from reconciler.apply.watch import watch
from reconciler.plan.plan import ActionKind, Plan, Wave
from reconciler.registry.mask import mask
from reconciler.serve.protocols import ServeReader, ServeWriter
from reconciler.state.provenance import Record


def apply_plan(
    plan: Plan,
    *,
    reader: ServeReader,
    writer: ServeWriter,
    smoke: SmokeTest,
    provenance: Record,
    emit: Callable[[Event], None],
    clock: Clock,
    stop: StopSignal,
    keep_failed: bool = False,
    fence: Fence = no_fence,
) -> tuple[Outcome, ...]:
    """Carry the plan out; one Outcome for each of its actions, in their order.

    `provenance`, the record of a run that has begun, is written into the gateway. With `keep_failed` what fails is left
    as it is, to be looked at. `fence` is asked before each PUT.

    Raises `ApplyStopped`, with the outcomes up to then, when the cluster changed under the plan or cannot be believed,
    and when the fence is closed.
    """
    means, exchange = Means(reader, smoke, emit, clock, stop), Exchange(reader, writer, clock, fence)
    run = _Run(plan, provenance, means, exchange, keep_failed)
    try:
        run.carry_out()
    except ApplyStopped as error:
        error.outcomes = run.outcomes("apply stopped before it was done")
        raise
    return run.outcomes("not reached, because apply was stopped; running it again goes on")


class _Run:
    def __init__(self, plan: Plan, provenance: Record, means: Means, exchange: Exchange, keep_failed: bool) -> None:
        self._plan = plan
        self._provenance = provenance
        self._means = means
        self._exchange = exchange
        self._undo = None if keep_failed else partial(roll_back, exchange=exchange)
        self._done: dict[str, Outcome] = {}

    def carry_out(self) -> None:
        """Send one wave after the other. Every action that comes to an end is recorded."""
        expected: Document | None = None
        for number, wave in enumerate(self._plan.waves, start=1):
            if self._means.stop.requested:
                return
            self._means.emit(WaveStarted(number, len(self._plan.waves), tuple(action.name for action in wave.actions)))
            try:
                expected = self._carry_out_wave(wave, number, expected)
            except NotTaken as error:
                self._refuse(wave, error)
                return

    def outcomes(self, reason: str) -> tuple[Outcome, ...]:
        """The outcome of every action; those without one are skipped for that reason."""
        for action in self._plan.actions:
            if action.name not in self._done:
                self._record(Outcome(action.name, Result.SKIPPED, reason))
        return tuple(self._done[action.name] for action in self._plan.actions)

    def _carry_out_wave(self, wave: Wave, number: int, expected: Document | None) -> Document:
        if expected is None:
            live = self._exchange.expect(Document.before_wave(wave), self._plan.live_fingerprint)
            document = Document.of_wave(wave)
        else:
            live = self._exchange.expect(expected)
            document = self._beside_failures(wave, expected)
        document = with_provenance(document, self._provenance, live, unmanaged=self._plan.unmanaged)
        if self._means.stop.requested:
            return document
        watches = [watch(action, live, self._means.clock.now()) for action in wave.actions]
        self._exchange.send(document, live)
        self._means.emit(DocumentSent(len(document.configs), f"wave {number} of {len(self._plan.waves)}"))
        pursuit = Pursuit(watches, document, self._means, undo=self._undo, record=self._record)
        pursuit.run()
        return pursuit.expected

    def _beside_failures(self, wave: Wave, expected: Document) -> Document:
        """The wave's document with what failed before it as it is now: a plan knows nothing of failures."""
        document = Document.of_wave(wave)
        for action in self._plan.actions:
            outcome = self._done.get(action.name)
            if outcome is None or not outcome.result.is_failure or action.kind is ActionKind.DELETE:
                continue
            document = document.with_config(action.name, expected.configs.get(action.name))
            if action.name not in expected.configs and action.model_id is not None:
                document = document.without_route(action.model_id)
        return document

    def _refuse(self, wave: Wave, error: NotTaken) -> None:
        for action in wave.actions:
            message = f"the cluster did not take the document, and nothing changed: {mask(error.message)}"
            if error.is_refusal:
                message += "; if that is in none of our files, `reconcile repair` finds it"
            self._record(Outcome(action.name, Result.FAILED, message))
        for action in self._plan.actions:
            if action.name not in self._done:
                self._record(Outcome(action.name, Result.SKIPPED, "not reached, because a document was refused"))

    def _record(self, outcome: Outcome) -> None:
        self._done[outcome.application] = outcome
        self._means.emit(Finished(outcome))

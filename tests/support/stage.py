"""An apply on Ray Serve in memory: the cluster, its time, a gateway that answers, and everything that was said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reconciler.apply.document import Document
from reconciler.apply.events import Event
from reconciler.apply.executor import apply_plan
from reconciler.apply.outcome import Outcome
from reconciler.apply.resume import unsettled, wait_for
from reconciler.apply.smoke import SmokeAnswer, SmokeFailed
from reconciler.apply.stop import StopSignal
from reconciler.plan.plan import Plan
from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveApplication, LiveState
from reconciler.state.provenance import Record
from tests.support import states
from tests.support.cli import FakeClock
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config

PROVENANCE = Record("2026-01-02T03:04:05+00:00", "me", "c" * 40, "d" * 40, False, "1")
NEIGHBOUR = light_config("neighbour", args={"owner": "somebody else"}, env={"COLOUR": "blue"})


@dataclass
class FakeSmoke:
    """Answers for every model of the gateway's live routing table, unless `trouble` raises for a model id."""

    serve: FakeServe
    asked: list[tuple[str, str]] = field(default_factory=list)
    trouble: Callable[[str], None] = lambda model_id: None
    hidden: set[str] = field(default_factory=set)
    """Model ids that the gateway does not list."""

    def ask(self, model_id: str, kind: str) -> SmokeAnswer:
        self.asked.append((model_id, kind))
        self.trouble(model_id)
        return SmokeAnswer("a completion", "hello", 0.1)

    def models(self) -> frozenset[str]:
        self.trouble("gateway")
        live = self.serve.live_state()
        assert isinstance(live, LiveState)
        return frozenset(Document.of_live(live).routes.keys() - self.hidden)


@dataclass
class Stage:
    """One cluster and the runs on it."""

    serve: FakeServe = field(default_factory=lambda: FakeServe({"node-0": {"CPU": 64.0, "GPU": 8.0}}))
    events: list[Event] = field(default_factory=list)
    stop: StopSignal = field(default_factory=StopSignal)

    def __post_init__(self) -> None:
        self.smoke = FakeSmoke(self.serve)

    def live(self) -> LiveState:
        """What the cluster reports; it has to be believable."""
        state = self.serve.live_state()
        assert isinstance(state, LiveState)
        return state

    def application(self, name: str) -> LiveApplication:
        """A live application, which has to be there."""
        found = self.live().application(name)
        assert found is not None, name
        return found

    def config(self, name: str) -> Any:
        """What is submitted for an application."""
        found = self.application(name).application
        assert found is not None
        return found.config

    def ids(self, name: str) -> tuple[str, ...]:
        """The running replicas of an application."""
        return self.application(name).replica_ids

    def plan(self, desired: DesiredState, **allowed: bool) -> Plan:
        """The plan that brings the cluster to the desired state."""
        return states.plan(desired, self.live(), **{"allow_mass_change": True, **allowed})

    def carry_out(self, plan: Plan, **options: Any) -> tuple[Outcome, ...]:
        """Apply a plan."""
        return apply_plan(
            plan,
            reader=self.serve,
            writer=self.serve,
            smoke=self.smoke,
            emit=self.events.append,
            clock=FakeClock(self.serve),
            stop=self.stop,
            **{"provenance": PROVENANCE, **options},
        )

    def apply(self, desired: DesiredState, **options: Any) -> dict[str, Outcome]:
        """Plan and apply; the outcomes by application."""
        outcomes = self.carry_out(self.plan(desired), **options)
        return {outcome.application: outcome for outcome in outcomes}

    def resume(self, desired: DesiredState) -> dict[str, Outcome]:
        """Plan, apply and wait for what an earlier run left on its way, as the command line does."""
        live = self.live()
        plan = states.plan(desired, live, allow_mass_change=True)
        waited = wait_for(
            unsettled(desired, live, plan),
            reader=self.serve,
            smoke=self.smoke,
            emit=self.events.append,
            clock=FakeClock(self.serve),
            stop=self.stop,
        )
        return {outcome.application: outcome for outcome in (*self.carry_out(plan), *waited)}


def staged(desired: DesiredState, *others: Any) -> Stage:
    """A cluster where that desired state and the applications of others run already."""
    stage = Stage()
    if others:
        stage.serve.intrude({**stage.live().options, "applications": list(others)})
        stage.serve.settle()
    stage.apply(desired)
    stage.events.clear()
    stage.serve.puts.clear()
    stage.smoke.asked.clear()
    return stage


def no_answer(settling: bool = False) -> SmokeFailed:
    """A gateway's refusal."""
    return SmokeFailed("/v1/chat/completions answered 500: boom", settling=settling)

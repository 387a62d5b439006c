"""A registry that is changed and applied again and again, while another one does the same on the same cluster."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from reconciler.apply.clock import Clock
from reconciler.apply.errors import LiveChanged, LostUpdate
from reconciler.apply.exchange import Fence, no_fence
from reconciler.apply.executor import apply_plan
from reconciler.apply.lease import Lease
from reconciler.apply.lease_record import Claim
from reconciler.apply.outcome import Result
from reconciler.apply.stop import StopSignal
from reconciler.plan.build import build_plan
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.registry.spec import Rollout
from reconciler.serve.protocols import ClusterJobs, ServeReader, ServeWriter
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles
from reconciler.state.desired import DesiredApplication, DesiredState
from reconciler.state.live import LiveState
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.stage import PROVENANCE, FakeSmoke
from tests.support.states import ADDRESS, SOURCE

PATIENCE_S = 10_000.0
_TRIES = 200


class Client(ServeReader, ServeWriter, ClusterJobs, Protocol):
    """Reads a cluster and changes it."""


@dataclass
class Racer:
    """One registry, its owner's name, and what its runs came upon."""

    name: str
    client: Client
    clock: Clock
    leased: bool
    seed: int
    wait_s: float = PATIENCE_S
    configs: dict[str, Any] = field(default_factory=dict)
    """What the registry says."""
    applied: dict[str, Any] = field(default_factory=dict)
    """What it said when a run last reported success."""
    lost: list[LostUpdate] = field(default_factory=list)
    changed: list[LiveChanged] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.name} {self.seed}")
        self.configs = {f"{self.name}-base": self._config(f"{self.name}-base")}

    def run(self, changes: int, *, pause: Callable[[], None] = lambda: None) -> None:
        """Change the registry so many times, and apply it each time until that succeeds."""
        for _ in range(changes):
            self.edit()
            self.settle()
            pause()

    def settle(self) -> None:
        """Apply the registry until that succeeds."""
        for _ in range(_TRIES):
            if self.apply():
                return
        raise AssertionError(f"{self.name} never got its way: {self.lost} {self.changed}")

    def apply(self) -> bool:
        """One run; whether it succeeded."""
        if not self.leased:
            return self._apply(no_fence)
        lease = Lease(self.client, Claim(self.name, "a test", self.name, None, "1"), self.clock)
        lease.acquire(self.wait_s, lambda holder, waited: None, StopSignal())
        try:
            return self._apply(lease.check)
        finally:
            assert lease.release()

    def edit(self) -> None:
        """Something that a person may do to a model file."""
        more = [name for name in self.configs if not name.endswith("-base")]
        kind = self._random.choice(["create", "restart", "in place", *(["delete"] if more else [])])
        if kind == "create":
            name = f"{self.name}-{self._random.randrange(1000)}"
            self.configs[name] = self._config(name)
        elif kind == "delete":
            del self.configs[self._random.choice(more)]
        else:
            name = self._random.choice(list(self.configs))
            number = self._random.randrange(1, 1000)
            config = self.configs[name]
            if kind == "restart":
                self.configs[name] = {**config, "args": {**config["args"], "text": str(number)}}
            else:
                options = {**config["deployments"][0], "max_ongoing_requests": number}
                self.configs[name] = {**config, "deployments": [options]}

    def stands(self, live: LiveState, configs: Mapping[str, Any]) -> bool:
        """Whether nothing would be left to do if the registry said this."""
        plan = self._plan(live, configs)
        return not plan.waves and not plan.holds

    def _apply(self, fence: Fence) -> bool:
        wanted = dict(self.configs)
        live = self.client.live_state()
        assert isinstance(live, LiveState), live
        plan = self._plan(live, wanted)
        try:
            outcomes = apply_plan(
                plan,
                reader=self.client,
                writer=self.client,
                smoke=FakeSmoke(FakeServe()),
                provenance=PROVENANCE,
                emit=lambda event: None,
                clock=self.clock,
                stop=StopSignal(),
                fence=fence,
            )
        except LiveChanged as error:
            self.changed.append(error)
            return False
        except LostUpdate as error:
            self.lost.append(error)
            return False
        if plan.holds or any(outcome.result is not Result.APPLIED for outcome in outcomes):
            return False
        self.applied = wanted
        return True

    def _plan(self, live: LiveState, configs: Mapping[str, Any]) -> Plan:
        applications = (
            DesiredApplication(Application(config), None, Bundles(({"CPU": 0.001},)), 1, 1, Rollout(timeout_s=300.0))
            for _, config in sorted(configs.items())
        )
        desired = DesiredState("race", self.name, tuple(applications))
        return build_plan(desired, live, address=ADDRESS, source=SOURCE, options=PlanOptions(allow_delete=True))

    def _config(self, name: str) -> Any:
        return light_config(name, args={"owner": self.name, "startup_s": 1})

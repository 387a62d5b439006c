"""One application on its way from the PUT to its Outcome."""

from dataclasses import dataclass

from reconciler.apply.adapters import new_adapters
from reconciler.apply.diagnosis import Cause
from reconciler.apply.document import Config
from reconciler.apply.events import Phase
from reconciler.apply.outcome import Outcome
from reconciler.plan.impact import is_proven
from reconciler.plan.plan import Action, ActionKind, Rollout
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.state.names import GATEWAY_APPLICATION


@dataclass(slots=True)
class Watch:
    """What is known about one application while apply waits for it.

    The only value of an apply that changes: the second half of its fields, by the Pursuit alone.
    """

    name: str
    kind: ActionKind | None
    """None for one that a run before this one sent."""
    model_id: str | None
    asks: bool
    """Whether a real request has to be answered before it counts as done."""
    timeout_s: float
    rollout: Rollout | None
    begun: float
    """When its document was sent, on the clock."""
    before: tuple[str, ...]
    """Ids of the replicas that served before."""
    known: frozenset[str]
    """Ids of all replicas before, those that had stopped or failed included."""
    replaced: frozenset[str]
    """Ids of the replicas that must all be gone."""
    previous: Config | None
    """Its config before; None when there was none."""
    was: ApplicationStatus | None
    """Its status before."""
    adapters: tuple[str, ...] = ()
    """Ids of the model's adapters that are new or come from elsewhere now; each is asked as well."""
    phase: Phase = Phase.WAITING
    since: float = 0.0
    """When the phase began, on the clock."""
    loads: bool = False
    """Whether replicas are created or replaced."""
    load_seconds: float | None = None
    """Seconds until the first of them served."""
    timed_out: bool = False
    failure: str = ""
    """What failed, in words; empty until something did."""
    cause: Cause | None = None
    outcome: Outcome | None = None

    def enter(self, phase: Phase, now: float) -> None:
        """Begin a phase."""
        self.phase, self.since = phase, now

    @property
    def deadline(self) -> float:
        """Until when it has to be done, on the clock: the way there, or the way back."""
        return self.timeout_s + (self.since if self.phase is Phase.ROLLING_BACK else self.begun)

    @property
    def way_back(self) -> str:
        """What a rollback did."""
        return "it was taken out again" if self.previous is None else "its previous config was put back"

    @property
    def is_previous_proven(self) -> bool:
        """Whether going back to the previous config can be expected to work: after a failed update it is the failed
        config that is live."""
        return self.was is not ApplicationStatus.DEPLOY_FAILED


def watch(action: Action, before: LiveState, begun: float) -> Watch:
    """The watch over an action whose document was sent at `begun`, over the live state `before`."""
    entry = before.application(action.name)
    created = action.kind is ActionKind.CREATE
    restarts = action.impact.restarts
    loads = created or restarts or action.kind is ActionKind.RETRY
    # A model that is scaled to zero is not woken for them: they load with it.
    adapters = new_adapters(action.change, all_of_them=loads) if loads or (entry and entry.replica_ids) else ()
    return Watch(
        name=action.name,
        kind=action.kind,
        model_id=action.model_id,
        asks=action.kind is not ActionKind.DELETE and (loads or bool(adapters) or action.name == GATEWAY_APPLICATION),
        timeout_s=action.timeout_s,
        rollout=action.rollout,
        begun=begun,
        before=entry.replica_ids if entry else (),
        known=_all_ids(entry),
        replaced=_to_replace(entry) if restarts and is_proven(before.ray_version) else frozenset(),
        previous=entry.application.config if entry and entry.application and not created else None,
        was=entry.status if entry else None,
        adapters=adapters,
        since=begun,
        loads=loads,
    )


def resumed(name: str, model_id: str | None, timeout_s: float, now: float) -> Watch:
    """The watch over an application that a run before this one sent."""
    return Watch(
        name=name,
        kind=None,
        model_id=model_id,
        asks=True,
        timeout_s=timeout_s,
        rollout=None,
        begun=now,
        before=(),
        known=frozenset(),
        replaced=frozenset(),
        previous=None,
        was=None,
        since=now,
    )


def _all_ids(entry: LiveApplication | None) -> frozenset[str]:
    return frozenset(
        replica.replica_id
        for deployment in (entry.deployments if entry else ())
        for replica in (*deployment.replicas, *deployment.recent_dead)
    )


def _to_replace(entry: LiveApplication | None) -> frozenset[str]:
    """The replicas of the version before. While an application is on its way or has failed, its replicas may be of
    several versions, and one of them may be the wanted one."""
    if entry is None or entry.status not in (ApplicationStatus.RUNNING, ApplicationStatus.UNHEALTHY):
        return frozenset()
    return frozenset(replica.replica_id for deployment in entry.deployments for replica in deployment.replicas)

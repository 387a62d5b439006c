"""The StatusReport: every application of one cluster at one moment, its replicas, and their work."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.diagnostics import Position
from reconciler.state.accelerators import Accelerator
from reconciler.state.live import ApplicationStatus, Node
from reconciler.state.work import ReplicaWork


@dataclass(frozen=True, slots=True)
class ReplicaReport:
    """One replica. `state` is Ray's (STARTING, RUNNING, STOPPING, ...)."""

    replica_id: str
    state: str
    node_id: str | None
    since: str | None
    """When its process started, or was found again by a new controller; ISO 8601."""
    work: ReplicaWork | None
    """None where it is not known."""


@dataclass(frozen=True, slots=True)
class DeploymentReport:
    """One deployment with its replicas, sorted by id."""

    name: str
    status: str
    message: str
    target: int
    """Replicas that Ray aims at."""
    replicas: tuple[ReplicaReport, ...]
    max_ongoing: int | None
    """Requests that one replica takes at a time."""
    router: str | None
    """The class that chooses the replica for a request."""
    resources: Mapping[str, float]
    """Of one replica, in Ray's logical units."""

    @property
    def running(self) -> int:
        """Replicas that serve."""
        return sum(replica.state == "RUNNING" for replica in self.replicas)


@dataclass(frozen=True, slots=True)
class Load:
    """What all replicas of an application have to do together."""

    ongoing: int
    requests: int
    """Since each of them started."""
    idle_s: float
    """Seconds without any request; 0 while there is one."""
    idle_for_longer: bool
    """Whether nobody has counted for longer than that, so that it may be more."""
    busy: int
    """Replicas that have a request now."""


@dataclass(frozen=True, slots=True)
class ApplicationReport:
    """One application, on the cluster or only in the registry."""

    name: str
    model_id: str | None
    """None for the gateway, and for what the registry does not know."""
    ours: bool
    wanted: bool
    """Whether the registry calls for it."""
    owner: str | None
    declarative: bool
    status: ApplicationStatus | None
    """None where it is not on the cluster."""
    message: str
    route_prefix: str | None
    deployments: tuple[DeploymentReport, ...]
    unlisted: tuple[str, ...]
    """Replicas of an earlier version that live although Ray lists none."""
    load: Load | None
    """None where it is not known, or nobody counts."""
    untold: str | None
    """Why the load of a model's application is not known, in words that continue a sentence."""
    position: Position | None

    @property
    def running(self) -> int:
        """Replicas that serve."""
        return sum(deployment.running for deployment in self.deployments)

    @property
    def target(self) -> int:
        """Replicas that Ray aims at."""
        return sum(deployment.target for deployment in self.deployments)

    @property
    def capacity(self) -> int | None:
        """Requests that the running replicas take at a time; None where the cluster does not say."""
        limits = [deployment.max_ongoing for deployment in self.deployments]
        if not limits or None in limits:
            return None
        return sum((deployment.max_ongoing or 0) * deployment.running for deployment in self.deployments)


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What one cluster has and does. The gateway comes first, then our models, then what is not ours."""

    cluster: str
    time: str
    """When it was read, ISO 8601 with a time zone."""
    ray_version: str
    applications: tuple[ApplicationReport, ...]
    nodes: tuple[Node, ...]
    accelerators: tuple[Accelerator, ...]
    untold: str | None = None
    """Why nobody said what the replicas have to do, in words that continue a sentence; None where they were asked."""

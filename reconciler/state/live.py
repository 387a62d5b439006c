"""What one cluster reported at one moment.

The values are filled by `serve.wire`; here is their meaning. A report that cannot be trusted is `UnknownState`, from
which nothing may be planned: an empty answer while replicas run, or a redacted one, never means "all deleted".
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue, canonical_bytes, rewritten
from reconciler.state.names import GATEWAY_APPLICATION, PROVENANCE_KEY


class ApplicationStatus(StrEnum):
    """`ray.serve.schema.ApplicationStatus` 2.60."""

    NOT_STARTED = "NOT_STARTED"
    DEPLOYING = "DEPLOYING"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    RUNNING = "RUNNING"
    UNHEALTHY = "UNHEALTHY"
    DELETING = "DELETING"


SERVING_STATES = frozenset({"RUNNING", "UPDATING", "PENDING_MIGRATION", "RECOVERING"})
"""States of a replica that answers requests (`ray.serve._private.common.ReplicaState`)."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica of a deployment. `state` is Ray's (STARTING, RUNNING, STOPPING, ...)."""

    replica_id: str
    state: str
    node_id: str | None = None
    log_file_path: str | None = None
    actor_id: str | None = None
    started_s: float | None = None
    """Unix time, by the cluster's clock, at which Serve began to start it, or a new controller found it again; None
    where it is not told."""


@dataclass(frozen=True, slots=True)
class LiveDeployment:
    """One deployment of a live application: its status, effective options and replicas."""

    name: str
    status: str
    message: str
    target_num_replicas: int
    replicas: tuple[Replica, ...]
    options: Mapping[str, JsonValue]
    """The effective `deployment_config` with Ray's defaults filled in."""
    recent_dead: tuple[Replica, ...] = ()
    """Replicas that stopped or failed lately, oldest first; their logs can still be read."""

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of the replicas that serve, sorted."""
        return tuple(sorted(replica.replica_id for replica in self.replicas if replica.state == "RUNNING"))


@dataclass(frozen=True, slots=True)
class LiveApplication:
    """One live application. `application` is what was last submitted, or None for one deployed imperatively.

    After a failed update it is the failed config that stands here, not the one that still serves.
    """

    name: str
    status: ApplicationStatus
    message: str
    application: Application | None
    deployments: tuple[LiveDeployment, ...]
    declarative: bool = True
    last_deployed_s: float = 0.0
    """Unix time of the last deployment, seconds."""
    route_prefix: str | None = None
    unlisted: tuple[str, ...] = ()
    """Ids of the replicas of an earlier version that live although Ray lists none, because the config after it could
    not be built."""

    @property
    def serves(self) -> bool:
        """Whether any replica answers requests."""
        listed = (replica for deployment in self.deployments for replica in deployment.replicas)
        return bool(self.unlisted) or any(replica.state in SERVING_STATES for replica in listed)

    @property
    def replica_ids(self) -> tuple[str, ...]:
        """Ids of all replicas that serve, sorted."""
        return tuple(sorted(replica_id for deployment in self.deployments for replica_id in deployment.running))


@dataclass(frozen=True, slots=True)
class Node:
    """A living node of the cluster: its logical resources (`GPU`, `CPU`, `accelerator_type:L4`), in all and in use."""

    node_id: str
    total: Mapping[str, float]
    used: Mapping[str, float]
    node_type: str | None = None
    """The name that the cluster's autoscaler has for its kind of node."""
    use_is_told: bool = True
    """Whether `used` is what the cluster reported. The second version of Ray's autoscaler reports nothing, nor does the
    first one while a cluster is starting."""


@dataclass(frozen=True, slots=True)
class LostNode:
    """A node that is gone without anybody having asked for it, as far as the cluster remembers."""

    node_id: str
    address: str
    total: Mapping[str, float]
    node_type: str | None
    why: str
    """In Ray's words."""
    lost_s: float
    """Unix time at which the cluster took it for gone; 0 where it is not told."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """A cluster's report: what runs there and what it has."""

    ray_version: str
    applications: tuple[LiveApplication, ...]
    nodes: tuple[Node, ...]
    options: Mapping[str, JsonValue]
    """The cluster-wide part of the Serve config (`proxy_location`, `http_options`, `target_capacity`, ...) as a PUT
    must repeat it."""
    global_logging_config: JsonValue = None
    """Ray copies it into every application's config; it is no difference there."""
    lost: tuple[LostNode, ...] = ()
    """Nodes that are gone and that no later one replaces, sorted by id."""
    use_told_s: float | None = field(default=None, compare=False)
    """When the cluster looked at what is in use on its nodes, Unix time by its own clock; None where it does not say.
    That is up to some seconds before this report."""

    _by_name: Mapping[str, LiveApplication] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The first one of a name, as they are listed.
        object.__setattr__(self, "_by_name", {entry.name: entry for entry in reversed(self.applications)})

    def application(self, name: str) -> LiveApplication | None:
        """The live application of that name."""
        return self._by_name.get(name)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what was submitted: names, configs and cluster-wide options, not health or replica counts, nor
        who applied last: an apply that writes down how it ended makes no plan stale."""
        texts = hashlib.sha256(canonical_bytes(dict(self.options)))
        for application in sorted(self.applications, key=lambda application: application.name):
            if application.declarative:
                submitted = _submitted(application.application) if application.application else b""
                texts.update(b"\0%s\0%s" % (application.name.encode("utf-8", "surrogatepass"), submitted))
        return texts.hexdigest()


def _submitted(application: Application) -> bytes:
    """The config without what the gateway remembers."""
    if application.name != GATEWAY_APPLICATION:
        return application.text
    # A gateway of ten thousand models is large.
    return rewritten(application.text, _without_provenance)


def _without_provenance(config: JsonValue) -> JsonValue:
    deployments = [
        {**entry, "user_config": {key: value for key, value in entry["user_config"].items() if key != PROVENANCE_KEY}}
        if isinstance(entry.get("user_config"), dict)
        else entry
        for entry in config.get("deployments") or ()
    ]
    return {**config, "deployments": deployments}


@dataclass(frozen=True, slots=True)
class UnknownState:
    """A report that must not be believed, and why. Nothing is planned from it."""

    reason: str
    hint: str
    is_lost: bool = False
    """Whether it is Serve itself that is stuck: it lists nothing though replicas live."""

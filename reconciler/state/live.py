"""What one cluster reported at one moment.

The values are filled by `serve.wire`; here is their meaning. A report that cannot be trusted is `UnknownState`, from
which nothing may be planned: an empty answer while replicas run, or a redacted one, never means "all deleted".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue, digest


class ApplicationStatus(StrEnum):
    """`ray.serve.schema.ApplicationStatus` 2.60."""

    NOT_STARTED = "NOT_STARTED"
    DEPLOYING = "DEPLOYING"
    DEPLOY_FAILED = "DEPLOY_FAILED"
    RUNNING = "RUNNING"
    UNHEALTHY = "UNHEALTHY"
    DELETING = "DELETING"


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica of a deployment. `state` is Ray's (STARTING, RUNNING, STOPPING, ...)."""

    replica_id: str
    state: str
    node_id: str | None = None
    log_file_path: str | None = None
    actor_id: str | None = None


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

    def application(self, name: str) -> LiveApplication | None:
        """The live application of that name."""
        return next((application for application in self.applications if application.name == name), None)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what was submitted: names, configs and cluster-wide options, not health or replica counts."""
        return digest(
            {
                "options": dict(self.options),
                "applications": {
                    application.name: dict(application.application.config) if application.application else None
                    for application in self.applications
                    if application.declarative
                },
            }
        )


@dataclass(frozen=True, slots=True)
class UnknownState:
    """A report that must not be believed, and why. Nothing is planned from it."""

    reason: str
    hint: str

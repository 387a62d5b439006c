"""One application of `FakeServe`: its build, its deployments and their replicas, stepped through time.

Mirrors `ray/serve/_private/application_state.py` and `deployment_state.py` (2.60) as far as a client can see them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import fake_rules

STOP_S = 2.0
BUILD_S = 1.0
NODE_ID = "f" * 56


@dataclass
class FakeReplica:
    """A replica: its version, state, seconds it has been starting or stopping, and where its bundles are."""

    replica_id: str
    key: str
    bundles: list[dict[str, float]]
    startup_s: float
    failure: str | None
    state: str = "STARTING"
    seconds: float = 0.0
    placement: list[str] | None = None


@dataclass
class Surroundings:
    """What replicas need from the cluster: ids, places on nodes, and somewhere to write their logs."""

    new_id: Callable[[], str]
    place: Callable[[list[dict[str, float]]], list[str] | None]
    log: Callable[[str, str], None]


@dataclass
class FakeDeployment:
    """A deployment: target, options, replicas and how often a replica of the target version failed to start."""

    application: str
    name: str
    surroundings: Surroundings
    options: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    version: str = ""
    target: int = 0
    replicas: list[FakeReplica] = field(default_factory=list)
    dead: list[FakeReplica] = field(default_factory=list)
    failures: int = 0
    has_started: bool = False
    settling: bool = True
    message: str = ""
    sick: str | None = None
    bundles: list[dict[str, float]] = field(default_factory=list)
    startup_s: float = 0.0
    failure: str | None = None

    def deploy(self, options: dict[str, Any], key: str) -> None:
        """Take over a new target."""
        same_code = bool(self.key) and fake_rules.code_of(key) == fake_rules.code_of(self.key)
        if same_code and not fake_rules.is_noticed(self.options, options):
            return
        version = fake_rules.deployment_version(key, options)
        sticky = self.failed and self.rolls and version == self.version
        self.target = self._new_target(options)
        self.options, self.key, self.version = options, key, version
        if sticky:
            # A failed rolling update stays failed until the version is another one.
            return
        self.has_started = False
        self.failures, self.message, self.settling = 0, "", True

    def _new_target(self, options: dict[str, Any]) -> int:
        scaling = options.get("autoscaling_config")
        if not scaling:
            return 1 if options["num_replicas"] == "auto" else int(options["num_replicas"])
        low, high, initial = scaling["min_replicas"], scaling["max_replicas"], scaling.get("initial_replicas")
        if initial is not None:
            return int(initial)
        return min(max(self.target, low), high) if self.options else int(low)

    @property
    def rolls(self) -> bool:
        """Whether replicas of an earlier version are there."""
        return any(replica.key != self.key for replica in self._active())

    @property
    def failed(self) -> bool:
        """Whether Ray has given up on the target version."""
        return self.target > 0 and not self.has_started and self.failures >= self._most_failures

    @property
    def _most_failures(self) -> int:
        return min(int(self.options["max_constructor_retry_count"]), 3 * self.target)

    @property
    def status(self) -> str:
        """Ray's `DeploymentStatus`."""
        if self.failed:
            return "DEPLOY_FAILED"
        if self.sick:
            return "UNHEALTHY"
        ready = [replica for replica in self.replicas if replica.state == "RUNNING" and replica.key == self.key]
        if not self.settling and len(ready) == self.target == len(self.replicas):
            return "HEALTHY"
        return "UPDATING"

    def step(self, seconds: float) -> None:
        """Let time pass: replicas stop, start or fail, then old ones are replaced and the count is kept."""
        for replica in list(self.replicas):
            self._step_replica(replica, seconds)
        self.settling = False
        if self.failed:
            self._stop([replica for replica in self._active() if replica.state == "STARTING"])
            return
        old = [replica for replica in self._active() if replica.key != self.key]
        surge = (self.options["max_surge_percent"] * self.target + 99) // 100
        if old and surge and self.target:
            self._surge(old, surge)
        else:
            self._roll(old)

    def stop_all(self) -> None:
        """Begin to stop every replica."""
        self.target = 0
        self._stop(self._active())

    def _active(self) -> list[FakeReplica]:
        return [replica for replica in self.replicas if replica.state != "STOPPING"]

    def _surge(self, old: list[FakeReplica], surge: int) -> None:
        current = len(self._active()) - len(old)
        self._start(min(self.target - current, surge + self.target - len(self._active())))
        surplus = sum(replica.state == "RUNNING" for replica in self._active()) - self.target
        running = [replica for replica in old if replica.state == "RUNNING"]
        starting = [replica for replica in old if replica.state == "STARTING"]
        self._stop(starting + running[: max(surplus, 0)])

    def _roll(self, old: list[FakeReplica]) -> None:
        running_new = sum(replica.state == "RUNNING" and replica.key == self.key for replica in self._active())
        pending = self.target - running_new - len(old)
        batch = max(int(self.options["rolling_update_percentage"] * self.target), 1)
        self._stop(old[: max(batch - pending, 0)])
        self._start(self.target - len(self._active()))
        extra = sorted(self._active(), key=lambda replica: replica.state == "RUNNING")
        self._stop(extra[: max(len(extra) - self.target, 0)])

    def _start(self, count: int) -> None:
        for _ in range(max(count, 0)):
            self.replicas.append(
                FakeReplica(self.surroundings.new_id(), self.key, self.bundles, self.startup_s, self.failure)
            )

    def _stop(self, replicas: list[FakeReplica]) -> None:
        for replica in replicas:
            replica.state, replica.seconds = "STOPPING", 0.0

    def _step_replica(self, replica: FakeReplica, seconds: float) -> None:
        if replica.state == "STARTING" and replica.placement is None:
            replica.placement = self.surroundings.place(replica.bundles)
            return
        replica.seconds += seconds
        if replica.state == "STOPPING" and replica.seconds >= STOP_S:
            self._bury(replica)
        elif replica.state == "STARTING" and replica.seconds >= replica.startup_s:
            if replica.failure is None:
                replica.state = "RUNNING"
                self.has_started = self.has_started or replica.key == self.key
            else:
                self.failures += replica.key == self.key
                self.message = f"A replica failed to start with exception. Error:\nRuntimeError: {replica.failure}"
                self.surroundings.log(self.log_path(replica), f"RuntimeError: {replica.failure}\n")
                self._bury(replica)

    def _bury(self, replica: FakeReplica) -> None:
        replica.state = "STOPPED"
        self.replicas.remove(replica)
        self.dead.append(replica)

    def log_path(self, replica: FakeReplica) -> str:
        """The log file of a replica as GET names it."""
        return f"/serve/replica_{self.application}_{self.name}_{replica.replica_id}.log"

    def details(self) -> dict[str, Any]:
        """As `ray.serve.schema.DeploymentDetails`."""
        return {
            "name": self.name,
            "status": self.status,
            "status_trigger": "CONFIG_UPDATE_STARTED",
            "message": self.sick or self.message,
            "deployment_config": self.options,
            "target_num_replicas": self.target,
            "required_resources": {},
            "replicas": [self._replica_details(replica) for replica in self.replicas],
            "recent_dead_replicas": [self._replica_details(replica) for replica in self.dead],
        }

    def _replica_details(self, replica: FakeReplica) -> dict[str, Any]:
        return {
            "node_id": replica.placement[0] if replica.placement else None,
            "actor_id": f"actor-{replica.replica_id}",
            "log_file_path": self.log_path(replica) if replica.placement else None,
            "replica_id": replica.replica_id,
            "state": replica.state,
            "start_time_s": 0.0,
        }


@dataclass
class FakeApplication:
    """An application: what was submitted, what is being built, and what runs."""

    name: str
    surroundings: Surroundings
    startup_s: Callable[[dict[str, Any]], float]
    failure: Callable[[dict[str, Any]], str | None]
    declarative: bool = True
    config: dict[str, Any] = field(default_factory=dict)
    version: str | None = None
    build_left_s: float | None = None
    build_error: str = ""
    fresh: bool = True
    deleting: bool = False
    stuck: bool = False
    """Whether its config is stored although Ray cannot begin to build it."""
    served: dict[str, Any] = field(default_factory=dict)
    """The config before that one."""
    last_deployed_s: float = 0.0
    deployments: dict[str, FakeDeployment] = field(default_factory=dict)

    def apply(self, config: dict[str, Any], now: float) -> None:
        """Take over a submitted config: built anew when its code version differs, else set in place."""
        self.config, self.last_deployed_s, self.fresh, self.deleting = config, now, True, False
        self.stuck = False
        if self.build_left_s is None and not self.build_error and fake_rules.code_version(config) == self.version:
            self._deploy()
        else:
            self.version, self.build_left_s, self.build_error = None, BUILD_S, ""

    def stick(self, config: dict[str, Any]) -> None:
        """Store a config that cannot be built: what runs goes on, and nothing else happens."""
        if not self.stuck:
            self.served = self.config
        self.config, self.stuck, self.version, self.build_left_s, self.build_error = config, True, None, None, ""

    def _deploy(self) -> None:
        wanted = fake_rules.code_deployments(self.config)
        unknown = [entry["name"] for entry in self.config.get("deployments") or [] if entry["name"] not in wanted]
        if unknown:
            self.build_error = f"Deployment '{unknown[0]}' does not exist. Available: {list(wanted)}"
            return
        self.version = fake_rules.code_version(self.config)
        for name, options in wanted.items():
            deployment = self.deployments.setdefault(name, FakeDeployment(self.name, name, self.surroundings))
            deployment.bundles = fake_rules.bundles(self.config, options)
            deployment.startup_s, deployment.failure = self.startup_s(self.config), self.failure(self.config)
            deployment.deploy(options, fake_rules.restart_key(self.version, options))
        for name in set(self.deployments) - set(wanted):
            self.deployments[name].stop_all()

    def delete(self) -> None:
        """Begin to go away."""
        self.deleting, self.build_left_s = True, None
        for deployment in self.deployments.values():
            deployment.stop_all()

    @property
    def gone(self) -> bool:
        """Whether a deletion is complete."""
        return self.deleting and not any(deployment.replicas for deployment in self.deployments.values())

    def step(self, seconds: float) -> None:
        """Let time pass."""
        self.fresh = False
        if self.stuck and not self.deleting:
            return
        if self.build_left_s is not None:
            self.build_left_s -= seconds
            if self.build_left_s <= 0:
                self.build_left_s = None
                self.build_error = _build_error(self.config.get("args") or {})
                if not self.build_error:
                    self._deploy()
            return
        if not self.build_error or self.deleting:
            for deployment in self.deployments.values():
                deployment.step(seconds)

    @property
    def status(self) -> str:
        """Ray's `ApplicationStatus`. Every PUT makes it DEPLOYING until the controller's next round."""
        if self.deleting:
            return "DELETING"
        if self.build_error:
            return "DEPLOY_FAILED"
        if self.build_left_s is not None or self.fresh or self.stuck:
            return "DEPLOYING"
        statuses = {deployment.status for deployment in self.deployments.values()}
        for found, status in (("DEPLOY_FAILED",) * 2, ("UNHEALTHY",) * 2, ("UPDATING", "DEPLOYING")):
            if found in statuses:
                return status
        return "RUNNING"

    def details(self) -> dict[str, Any]:
        """As `ray.serve.schema.ApplicationDetails`. Without deployments while it is built or cannot be."""
        hidden = self.build_left_s is not None or bool(self.build_error) or self.stuck
        failed = [name for name, deployment in self.deployments.items() if deployment.status == "DEPLOY_FAILED"]
        entry = {
            "name": self.name,
            "route_prefix": self.config.get("route_prefix", "/"),
            "docs_path": None,
            "status": self.status,
            "message": self.build_error or (f"Failed to update the deployments {failed}." if failed else ""),
            "last_deployed_time_s": self.last_deployed_s,
            "source": "declarative" if self.declarative else "imperative",
            "deployments": {}
            if hidden
            else {name: deployment.details() for name, deployment in self.deployments.items()},
            "external_scaler_enabled": False,
        }
        return entry if self.deleting or not self.declarative else {**entry, "deployed_app_config": self.config}


def _build_error(args: dict[str, Any]) -> str:
    needed = args.get("build_needs")
    return f"there is no {needed}" if needed and not Path(needed).exists() else str(args.get("build_fail") or "")

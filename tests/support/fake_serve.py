"""Ray Serve in memory: `ServeReader` and `ServeWriter` with Ray's semantics, time that a test moves, and faults.

The same contract tests run on it and on a real cluster (`tests/contract/test_serve_contract.py`), which is what makes
it worth believing.
"""

import copy
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from reconciler.serve import wire
from reconciler.serve.details import REDACTED
from reconciler.serve.errors import PutRefused
from reconciler.serve.job import Job
from reconciler.state.live import LiveState, UnknownState
from tests.support import fake_repair, fake_rules
from tests.support.fake_application import FakeApplication, Surroundings
from tests.support.fake_jobs import FakeJobs

_TICK_S = 0.5

Hook = Callable[[Mapping[str, Any]], None]


class FakeServe:
    """A Ray cluster with Serve; its jobs are on the `board`.

    What an application does is written in its config: `args.startup_s` (seconds a replica takes to start),
    `args.fail` or `args.llm_config.engine_kwargs.fail` (its replicas fail with that text), `args.build_fail` (it cannot
    be built), `args.needs` and `args.build_needs` (files without which they do). `startup_s`, `fails` change that for
    all.

    Faults: `before_put` and `after_put` are called with the document around each `put` and may raise or write
    (`intrude`); `before_read` before each read; `redacted` and `lost` spoil the answers.
    """

    def __init__(self, nodes: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self.board = FakeJobs()
        self.caller = "me"
        """Who reads and puts now."""
        self.diary: list[tuple[str, str]] = []
        """Who did what, `read` or `put`, as the dashboard's log tells."""
        self.now = 1_700_000_000.0
        self.startup_s = 5.0
        self.fails: Callable[[dict[str, Any]], str | None] = _failure
        self.before_put: Hook | None = None
        self.after_put: Hook | None = None
        self.before_read: Callable[[], None] | None = None
        self.redacted = False
        self.lost = False
        """The controller has lost its list of applications, while their replicas live."""
        self.puts: list[dict[str, Any]] = []
        self.reads = 0
        self.packages: dict[str, bytes] = {}
        self.logs: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        """What actors wrote to stdout and stderr, by actor id."""
        self.looks_every_s: float | None = None
        """Seconds between two looks of its monitor at what is in use; None for one that always says what is so now and
        not when it looked."""
        self._looked = (0.0, dict[str, Any]())
        self._nodes = {name: dict(total) for name, total in (nodes or {"node-1": {"CPU": 16.0}}).items()}
        self._applications: dict[str, FakeApplication] = {}
        self._options: dict[str, Any] = {
            "proxy_location": "EveryNode",
            "http_options": {"host": "127.0.0.1", "port": 8000},
            "grpc_options": {"port": 9000, "grpc_servicer_functions": []},
            "target_capacity": None,
        }
        self._ids = count(1)
        self._surroundings = Surroundings(self._new_id, self._place, self._log)

    # ServeReader

    def live_state(self) -> LiveState | UnknownState:
        """The answer of a real dashboard, read the way the REST client reads one."""
        if self.before_read:
            self.before_read()
        self.reads += 1
        self.diary.append((self.caller, "read"))
        details = self._details()
        return wire.trusted_state(
            details, {"ray_version": "2.60.0"}, self._node_rows(), self._usage(), self._replicas_alive()
        )

    def look_again(self) -> LiveState | UnknownState:
        """The same."""
        return self.live_state()

    def replica_log(self, path: str, node_id: str | None, lines: int = 200) -> str:
        """The last lines of a replica's log."""
        return "".join(self.logs.get(path, "").splitlines(keepends=True)[-lines:])

    def actor_output(self, actor_id: str, lines: int = 200) -> str:
        """The last lines that an actor wrote."""
        return "".join(self.outputs.get(actor_id, "").splitlines(keepends=True)[-lines:])

    def other_writers(self) -> tuple[str, ...]:
        """Who else put something between the last read and the last put of the caller."""
        own = [index for index, entry in enumerate(self.diary) if entry == (self.caller, "put")]
        reads = [index for index, entry in enumerate(self.diary) if entry == (self.caller, "read")]
        read = max((index for index in reads if own and index < own[-1]), default=None)
        if read is None:
            return ()
        between = self.diary[read : own[-1]]
        return tuple(dict.fromkeys(who for who, what in between if what == "put" and who != self.caller))

    # ServeWriter

    def put(self, document: Mapping[str, Any]) -> None:
        """Store a document, with the hooks around it."""
        if self.before_put:
            self.before_put(document)
        self.puts.append(copy.deepcopy(dict(document)))
        self._store(document, self.caller)
        if self.after_put:
            self.after_put(document)

    def upload_package(self, name: str, content: bytes) -> None:
        """Store a package unless it is there."""
        self.packages.setdefault(name, content)

    # ClusterJobs

    def jobs(self) -> tuple[Job, ...]:
        """The jobs on the board."""
        return self.board.jobs()

    def submit_job(self, job_id: str, entrypoint: str, metadata: Mapping[str, str]) -> bool:
        """Put a job on the board. One of a repair does its work at once."""
        purpose = metadata.get("purpose", "")
        if purpose.startswith("reconcile repair: "):
            words = purpose.removeprefix("reconcile repair: ").split()
            self.outputs[job_id] = fake_repair.run(self, self._applications, words)
        return self.board.submit_job(job_id, entrypoint, metadata)

    def job_output(self, job_id: str) -> str:
        """What it wrote."""
        return self.outputs.get(job_id, "")

    def stop_job(self, job_id: str) -> None:
        """Ask it to end."""
        self.board.stop_job(job_id)

    def delete_job(self, job_id: str) -> None:
        """Take it off the board."""
        self.board.delete_job(job_id)

    # What a test does to the cluster

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        left = seconds
        while left > 0:
            tick = min(_TICK_S, left)
            left -= tick
            self.now += tick
            self.board.advance(tick)
            for name, application in list(self._applications.items()):
                application.step(tick)
                if application.gone:
                    del self._applications[name]

    def settle(self, limit_s: float = 600.0) -> LiveState:
        """Let time pass until nothing changes any more, and read."""
        for _ in range(int(limit_s)):
            self.advance(1.0)
            statuses = {application.status for application in self._applications.values()}
            stopping = any(
                replica.state == "STOPPING"
                for application in self._applications.values()
                for deployment in application.deployments.values()
                for replica in deployment.replicas
            )
            if not statuses & {"DEPLOYING", "DELETING"} and not stopping:
                break
        state = self.live_state()
        assert isinstance(state, LiveState)
        return state

    def intrude(self, document: Mapping[str, Any]) -> None:
        """A PUT by somebody else: neither hooks nor `puts` see it."""
        self._store(document, "somebody")

    def _store(self, document: Mapping[str, Any], caller: str) -> None:
        self.diary.append((caller, "put"))
        if self.lost:
            raise PutRefused(500, "ray.exceptions.ActorDiedError: the controller cannot read what it stored")
        why = fake_rules.refusal(document)
        if why:
            for config in document.get("applications") or ():
                if fake_rules.is_stored_all_the_same(config):
                    self._application(config["name"], declarative=True).stick(fake_rules.normalised(config))
            raise PutRefused(400, why)
        self._options["target_capacity"] = document.get("target_capacity")
        wanted = {}
        for config in document["applications"]:
            stored = fake_rules.normalised(config)
            if document.get("logging_config") and stored.get("logging_config") is None:
                stored["logging_config"] = document["logging_config"]
            wanted[stored["name"]] = stored
        for name, application in self._applications.items():
            if application.declarative and name not in wanted:
                application.delete()
        for name, config in wanted.items():
            self._application(name, declarative=True).apply(config, self.now)

    def kill_controller(self) -> None:
        """The controller starts anew, unless it cannot read what it stored."""
        self.lost = any(application.stuck for application in self._applications.values())

    def run_imperatively(self, config: Mapping[str, Any]) -> None:
        """An application deployed with `serve.run`: GET shows no config for it, and no PUT deletes it."""
        self._application(config["name"], declarative=False).apply(fake_rules.normalised(config), self.now)

    def scale(self, application: str, replicas: int) -> None:
        """What the autoscaler does."""
        for deployment in self._applications[application].deployments.values():
            deployment.target = replicas

    def sicken(self, application: str, message: str) -> None:
        """The application's health checks fail from now on."""
        for deployment in self._applications[application].deployments.values():
            deployment.sick = message

    def config(self, application: str) -> dict[str, Any] | None:
        """What was submitted for an application; None without one."""
        found = self._applications.get(application)
        return copy.deepcopy(found.config) if found else None

    def is_serving(self, application: str) -> bool:
        """Whether a replica of the application takes requests."""
        found = self._applications.get(application)
        deployments = found.deployments.values() if found else ()
        return any(replica.state == "RUNNING" for deployment in deployments for replica in deployment.replicas)

    # What the REST API answers

    def answer(self, path: str) -> Any:
        """The JSON that a dashboard answers to `GET path`; None for a path that it does not know."""
        known: dict[str, Callable[[], Any]] = {
            "/api/serve/applications/": self._read,
            "/api/ray/version": lambda: {"ray_version": "2.60.0"},
            "/api/v0/nodes": self._node_rows,
            "/api/cluster_status": self._usage,
            "/api/v0/actors": self._actor_rows,
        }
        return known[path]() if path in known else None

    def _read(self) -> dict[str, Any]:
        if self.before_read:
            self.before_read()
        self.reads += 1
        return self._details()

    def _actor_rows(self) -> dict[str, Any]:
        rows = [{"name": name, "state": "ALIVE"} for name in self._replicas_alive()]
        return {"data": {"result": {"result": rows}}}

    def _details(self) -> dict[str, Any]:
        applications = {} if self.lost else {name: entry.details() for name, entry in self._applications.items()}
        details = {"controller_info": {}, "proxies": {}, **self._options, "applications": applications}
        copied = copy.deepcopy(details)
        return dict(_redact(copied)) if self.redacted else copied

    def _node_rows(self) -> dict[str, Any]:
        rows = [{"node_id": name, "state": "ALIVE", "resources_total": total} for name, total in self._nodes.items()]
        return {"data": {"result": {"result": rows}}}

    def _usage(self) -> dict[str, Any]:
        if self.looks_every_s is None:
            return {"data": {"clusterStatus": self._use()}}
        if self.now >= self._looked[0] + self.looks_every_s:
            self._looked = (self.now, self._use())
        looked_s, use = self._looked
        return {"data": {"clusterStatus": {"time": looked_s, **use}}}

    def _use(self) -> dict[str, Any]:
        usage = {
            name: {resource: [used.get(resource, 0.0), amount] for resource, amount in self._nodes[name].items()}
            for name, used in self._used().items()
        }
        return {"loadMetricsReport": {"usageByNode": usage}}

    def _replicas_alive(self) -> tuple[str, ...]:
        return tuple(
            f"{wire.REPLICA_ACTOR_PREFIX}{name}#{deployment.name}#{replica.replica_id}"
            for name, application in self._applications.items()
            for deployment in application.deployments.values()
            for replica in deployment.replicas
        )

    # The cluster under the applications

    def _application(self, name: str, declarative: bool) -> FakeApplication:
        found = self._applications.get(name)
        if found is None:
            found = FakeApplication(name, self._surroundings, self._startup, lambda config: self.fails(config))
            self._applications[name] = found
        found.declarative = declarative
        return found

    def _startup(self, config: dict[str, Any]) -> float:
        return float((config.get("args") or {}).get("startup_s", self.startup_s))

    def _new_id(self) -> str:
        return f"replica{next(self._ids):03d}"

    def _log(self, path: str, text: str) -> None:
        self.logs[path] = self.logs.get(path, "") + text

    def _used(self) -> dict[str, dict[str, float]]:
        used: dict[str, dict[str, float]] = {name: {} for name in self._nodes}
        for application in self._applications.values():
            for deployment in application.deployments.values():
                for replica in deployment.replicas:
                    for node, bundle in zip(replica.placement or [], replica.bundles, strict=False):
                        for resource, amount in bundle.items():
                            used[node][resource] = used[node].get(resource, 0.0) + amount
        return used

    def _place(self, bundles: list[dict[str, float]]) -> list[str] | None:
        """First fit. A replica that fits nowhere waits, for ever if need be, as on Ray."""
        used = self._used()
        chosen = []
        for bundle in bundles:
            node = next((name for name in self._nodes if self._fits(bundle, name, used[name])), None)
            if node is None:
                return None
            chosen.append(node)
            for resource, amount in bundle.items():
                used[node][resource] = used[node].get(resource, 0.0) + amount
        return chosen

    def _fits(self, bundle: Mapping[str, float], node: str, used: Mapping[str, float]) -> bool:
        total = self._nodes[node]
        return all(
            used.get(resource, 0.0) + amount <= total.get(resource, 0.0) + 1e-9 for resource, amount in bundle.items()
        )


def _failure(config: dict[str, Any]) -> str | None:
    args = config.get("args") or {}
    if args.get("needs") and not Path(args["needs"]).exists():
        return f"there is no {args['needs']}"
    marker = args.get("fail") or ((args.get("llm_config") or {}).get("engine_kwargs") or {}).get("fail")
    return None if not marker else marker if isinstance(marker, str) else "told to fail"


def _redact(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: dict.fromkeys(item, REDACTED) if key == "env_vars" else _redact(item) for key, item in value.items()
        }
    return [_redact(item) for item in value] if isinstance(value, list) else value

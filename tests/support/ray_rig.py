"""The whole way an apply goes on real Ray: the command line, the REST client, the fault proxy, a real dashboard, models
without an engine (`light_runtime`) and a gateway that routes to them."""

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.main import main
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.packages import Package, zip_package
from reconciler.serve.rest import RestClient
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from tests.support.cli import Ran
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.light import light_config, light_package
from tests.support.world import World

TOKEN = "RIG_DASHBOARD_TOKEN"
SECRET = "blue-as-the-sea"
NEIGHBOUR = light_config("neighbour", args={"owner": "somebody else"}, env={"COLOUR": SECRET}, route_prefix="/n")
CLUSTER = """\
owner: rig
default: true
dashboard:
  address: {dashboard}
{token}gateway:
  address: {gateway}
  num_cpus: 0.1
runtime_packages:
  engine: {package}
  gateway: {package}
"""
MODEL = """\
engine_config:
  model_id: acme/{name}
  engine_kwargs:
    max_num_seqs: {version}
  runtime_env:
    env_vars: {{STARTUP_S: "{startup_s}", FAIL: "{fail}"}}
deployment_config:
  max_ongoing_requests: {ongoing}
  autoscaling_config:
    min_replicas: {replicas}
    max_replicas: {replicas}
  graceful_shutdown_timeout_s: 5
  graceful_shutdown_wait_loop_s: 0.1
  ray_actor_options:
    num_cpus: 0
scaling_config:
  num_gpus_per_worker: 0
  num_cpus_per_worker: {num_cpus}
rollout:
  strategy: {strategy}
  timeout_s: {timeout_s}
"""
SETTINGS: dict[str, Any] = {
    "version": 1,
    "startup_s": 0.5,
    "fail": "",
    "ongoing": 5,
    "replicas": 1,
    "num_cpus": 0.1,
    "strategy": "surge",
    "timeout_s": 180,
}


def light_runtime() -> Package:
    """The code of models and gateway."""
    return zip_package("light-runtime", Path(__file__).parent / "light_runtime" / "runtime")


@dataclass
class RayRig:
    """A registry of light models for a cluster behind a proxy."""

    cluster: LocalCluster
    client: RestClient
    proxy: FaultProxy
    root: Path
    models: dict[str, dict[str, Any]] = field(default_factory=dict)

    def write(self, name: str, **settings: Any) -> None:
        """A model file: what is not given is as it was, or as in `SETTINGS`."""
        self.models[name] = {**SETTINGS, **self.models.get(name, {}), **settings}
        (self.root / f"acme--{name}.yaml").write_text(MODEL.format(name=name, **self.models[name]))

    def remove(self, name: str) -> None:
        """No such model any more."""
        del self.models[name]
        (self.root / f"acme--{name}.yaml").unlink()

    def apply(self, *arguments: str) -> Ran:
        """Run `reconcile apply` with these arguments, unattended, in this process."""
        return self.run("apply", "--auto-approve", *arguments)

    def run(self, command: str, *arguments: str) -> Ran:
        """Run a command for the rig's registry in this process."""
        out, err = io.StringIO(), io.StringIO()
        environment = Environment(self._variables, Console(self._variables, io.StringIO(), out, err))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([command, "--registry", str(self.root), *arguments], environment)
        return Ran(code, out.getvalue(), err.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The same as a process of its own, which may be killed."""
        command = [sys.executable, "-m", "tests.support.short_lease", "apply", "--registry", str(self.root)]
        return subprocess.Popen(
            [*command, "--auto-approve", *arguments],
            env={**os.environ, **self._variables, "PYTHONPATH": str(Path(__file__).parents[2])},
            cwd=self.root.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def _variables(self) -> dict[str, str]:
        return {"TERM": "dumb", **({TOKEN: self.cluster.token} if self.cluster.token else {})}

    def live(self) -> LiveState:
        """What the cluster has, seen past the proxy."""
        state = self.client.live_state()
        assert isinstance(state, LiveState), state
        return state

    def application(self, name: str) -> LiveApplication:
        """A live application, which has to be there."""
        found = self.live().application(name)
        assert found is not None, name
        return found

    def replica_ids(self, name: str) -> tuple[str, ...]:
        """The running replicas of an application."""
        return self.application(name).replica_ids

    def known_ids(self, name: str) -> dict[str, str]:
        """The states of all replicas of an application by id, of those that have died as well."""
        return {
            replica.replica_id: replica.state
            for deployment in self.application(name).deployments
            for replica in (*deployment.replicas, *deployment.recent_dead)
        }

    def actors(self) -> list[dict[str, Any]]:
        """All living actors, as the state API shows them: `name`, `pid` and more."""
        query = "limit=10000&detail=true&filter_keys=state&filter_predicates=%3D&filter_values=ALIVE"
        pending = query.replace("ALIVE", "PENDING_CREATION")
        return [row for asked in (query, pending) for row in self.rows(f"actors?{asked}")]

    def rows(self, what: str) -> list[dict[str, Any]]:
        """What the state API lists under that name and query: all of it, and not the first hundred."""
        path = f"/api/v0/{what}{'&' if '?' in what else '?'}limit=10000"
        headers = {"Authorization": f"Bearer {self.cluster.token}"} if self.cluster.token else {}
        with urlopen(Request(self.cluster.dashboard_address + path, headers=headers)) as answer:
            return list(json.load(answer)["data"]["result"]["result"])

    def assert_nothing_of_others_moved(self, before: LiveState) -> None:
        """The neighbour is as it was, config and replicas."""
        then = before.application("neighbour")
        assert then is not None
        # Every PUT makes each application it lists DEPLOYING until the controller's next round.
        self.await_neighbour()
        now = self.application("neighbour")
        assert now.application == then.application
        assert now.replica_ids == then.replica_ids != ()

    def await_neighbour(self, limit_s: float = 120.0) -> None:
        """Wait until the dashboard answers again and the neighbour runs."""
        deadline = time.monotonic() + limit_s
        while True:
            with contextlib.suppress(Exception):
                if self.application("neighbour").status is ApplicationStatus.RUNNING:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.5)


@contextlib.contextmanager
def ray_rigged(cluster: LocalCluster, client: RestClient, root: Path, *models: str) -> Iterator[RayRig]:
    """A rig on a running cluster with the neighbour, where these models were applied already; empty afterwards."""
    world = World(client, client)
    for package in (light_package(), light_runtime()):
        client.upload_package(package.name, package.content)
    world.apply([NEIGHBOUR])
    (root / "clusters").mkdir(parents=True)
    with fault_proxy(cluster.dashboard_address) as proxy:
        token = f"  token:\n    env: {TOKEN}\n" if cluster.token else ""
        (root / "clusters" / "rig.yaml").write_text(
            CLUSTER.format(
                dashboard=proxy.address, token=token, gateway=cluster.gateway_address, package=light_runtime().uri
            )
        )
        rig = RayRig(cluster, client, proxy, root)
        for name in models:
            rig.write(name)
        if models:
            ran = rig.apply()
            assert ran.code == 0, ran
        proxy.calm()
        yield rig
        proxy.calm()
    world.apply([])

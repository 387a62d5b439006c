"""The whole way an apply goes, over HTTP: the command line, the REST client, the fault proxy, and Ray Serve in memory.

What an undisturbed run asks for is the same every time, so a request can be named by its number.
"""

import contextlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.smoke import GatewaySmoke
from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.main import main
from reconciler.serve import transport
from reconciler.serve.connect import Connection
from reconciler.serve.rest import RestClient
from reconciler.state.live import ApplicationStatus, LiveState
from tests.support.cli import MODEL, FakeClock, Ran
from tests.support.fake_dashboard import dashboard
from tests.support.fake_serve import FakeServe
from tests.support.fault_proxy import FaultProxy, Request, Rule, fault_proxy
from tests.support.faults import Fault

NEIGHBOUR = {
    "name": "neighbour",
    "route_prefix": "/n",
    "import_path": "n:build",
    "runtime_env": {"env_vars": {"COLOUR": "blue-as-the-sea"}},
    "args": {"greeting": "hello"},
}
"""An application of somebody else, with a value that must show up nowhere."""
CLUSTER = """\
owner: test
default: true
dashboard:
  address: {address}
gateway:
  address: {address}
runtime_packages:
  engine: image
  gateway: image
"""
PATIENCE_S = 15.0
"""Long enough for a machine with much to do; short in the tests where a time-out is the point."""


@dataclass
class Rig:
    """One cluster in memory behind a proxy, and a registry for it."""

    serve: FakeServe
    proxy: FaultProxy
    root: Path
    patience_s: float = PATIENCE_S

    def write(self, name: str, old: str = "", new: str = "") -> None:
        """A model file, with one piece of it replaced."""
        text = MODEL.format(name=name)
        assert old in text
        (self.root / f"acme--{name}.yaml").write_text(text.replace(old, new))

    def apply(self, *arguments: str, clock: FakeClock | None = None) -> Ran:
        """Run `reconcile apply` with these arguments, unattended."""
        out, err = io.StringIO(), io.StringIO()
        variables = {"TERM": "dumb"}
        environment = Environment(
            variables,
            Console(variables, io.StringIO(), out, err),
            connect=lambda entry, env, directory: self._connection(),
            smoke=lambda address, token: GatewaySmoke(address, token, timeout_s=self.patience_s),
            clock=lambda: clock or FakeClock(self.serve),
        )
        words = ["apply", "--registry", str(self.root), "--auto-approve", *arguments]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words, environment)
        return Ran(code, out.getvalue(), err.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The same as a process of its own."""
        command = [sys.executable, "-m", "tests.support.quick_reconcile", "apply", "--registry", str(self.root)]
        env = {**os.environ, "TERM": "dumb", "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.Popen(
            [*command, "--auto-approve", *arguments],
            env=env,
            cwd=self.root.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill_at(self, number: int, *, arrived: bool) -> Ran:
        """A run that is killed at its request of that number, before it reaches the cluster or right after."""
        return killed_at(self.proxy, self.start, lambda request: request.number == number, arrived=arrived)

    def live(self) -> LiveState:
        """What the cluster really has."""
        state = self.serve.live_state()
        assert isinstance(state, LiveState)
        return state

    def replica_ids(self, name: str) -> tuple[str, ...]:
        """The running replicas of an application that has to be there."""
        found = self.live().application(name)
        assert found is not None, name
        return found.replica_ids

    def assert_nothing_of_others_moved(self, before: LiveState) -> None:
        """The neighbour is as it was: config, replicas, and in every document that was sent."""
        # Every PUT makes each application it lists DEPLOYING until the controller's next round.
        self.serve.settle()
        then, now = before.application("neighbour"), self.live().application("neighbour")
        assert then is not None and now is not None
        assert now.application == then.application
        assert now.replica_ids == then.replica_ids != ()
        assert now.status is ApplicationStatus.RUNNING
        for document in self.serve.puts:
            [sent] = [config for config in document["applications"] if config["name"] == "neighbour"]
            assert sent == NEIGHBOUR

    def _connection(self) -> Connection:
        client = RestClient(self.proxy.address, timeout_s=self.patience_s, sleep=lambda seconds: None)
        return Connection(client.address, self.proxy.address, client)


def killed_at(
    proxy: FaultProxy, start: Callable[[], subprocess.Popen[str]], where: Callable[[Request], bool], *, arrived: bool
) -> Ran:
    """A process that is killed, as `kill -9` does, at the first request that `where` picks: before it reaches the
    cluster, or right after it did."""
    process: subprocess.Popen[str] | None = None
    started = threading.Event()
    proxy.calm()

    def kill(request: Request) -> None:
        if where(request):
            started.wait()
            assert process is not None
            process.kill()
            process.wait()

    if arrived:
        proxy.after = kill
    else:
        proxy.before = kill
        proxy.rules = [Rule(Fault.RESET, where)]
    process = start()
    started.set()
    out, err = process.communicate()
    proxy.calm()
    return Ran(process.returncode, out, err)


@contextlib.contextmanager
def rigged(
    root: Path, *models: str, nodes: Mapping[str, Mapping[str, float]] | None = None, tick_s: float = 0.0
) -> Iterator[Rig]:
    """A cluster with the neighbour, where the registry's models were applied already.

    With `tick_s` every look at it lets so much time pass as well, for runs that are processes of their own.
    """
    serve = FakeServe(nodes)
    serve.startup_s = 1.0
    serve.intrude({"applications": [NEIGHBOUR]})
    serve.settle()
    (root / "clusters").mkdir(parents=True)
    with dashboard(serve, tick_s) as address, fault_proxy(address) as proxy:
        (root / "clusters" / "test.yaml").write_text(CLUSTER.format(address=proxy.address))
        rig = Rig(serve, proxy, root)
        for name in models:
            rig.write(name)
        if models:
            ran = rig.apply()
            assert ran.code == 0, ran
        serve.puts.clear()
        proxy.calm()
        yield rig


@contextlib.contextmanager
def impatient(rig: Rig, seconds: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clients give an answer no more than so many seconds."""
    with monkeypatch.context() as patch:
        patch.setattr(transport, "WRITE_TIMEOUT_S", seconds)
        before, rig.patience_s = rig.patience_s, seconds
        yield
        rig.patience_s = before


def failing(text: str) -> Any:
    """For `FakeServe.fails`: the replicas of `acme--chat` fail with that text once it has other engine arguments."""

    def fails(config: Mapping[str, Any]) -> str | None:
        arguments = ((config.get("args") or {}).get("llm_config") or {}).get("engine_kwargs") or {}
        return text if config["name"] == "acme--chat" and arguments.get("max_num_seqs") == 8 else None

    return fails

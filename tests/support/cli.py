"""Running the command line inside the test, against Ray Serve in memory or nothing at all."""

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.apply.smoke import SmokeAnswer
from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.main import main
from reconciler.state.traffic import Traffic, UnknownTraffic
from reconciler.state.work import UnknownWork, Work
from tests.support.fake_serve import FakeServe

ADDRESS = "http://ray.example:8265"
NEIGHBOUR = {"name": "neighbour", "route_prefix": "/n", "import_path": "n:build", "args": {"greeting": "hello"}}
"""An application of somebody else."""
CLUSTER = """\
owner: test
default: true
dashboard:
  address: http://ray.example:8265
gateway:
  address: http://llm.example
runtime_packages:
  engine: image
  gateway: image
"""
MODEL = """\
engine_config:
  model_id: acme/{name}
  engine_kwargs:
    max_num_seqs: 4
deployment_config:
  autoscaling_config:
    min_replicas: 1
    max_replicas: 1
scaling_config:
  num_gpus_per_worker: 0
  num_cpus_per_worker: 1
"""


@dataclass(frozen=True)
class Ran:
    """What one run left behind."""

    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """A stream that a person sits at."""

    def isatty(self) -> bool:
        return True


UNUSED = Traffic(1e6, {})
"""Nobody has used any model for days."""
UNHEARD = UnknownWork("the gateway at http://llm.example cannot be reached from here")


@dataclass
class FakeConnection:
    """A connection to Ray Serve in memory."""

    client: FakeServe
    address: str = ADDRESS
    gateway_address: str = "http://llm.example"
    usage: Traffic | UnknownTraffic = UNUSED
    said: Work | UnknownWork = UNHEARD

    def gateway_token(self) -> str | None:
        return None

    def traffic(self) -> Traffic | UnknownTraffic:
        return self.usage

    def work(self) -> Work | UnknownWork:
        return self.said

    def __enter__(self) -> "FakeConnection":
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to close."""


def gateway_config(serve: FakeServe) -> dict[str, Any]:
    """The `user_config` of the gateway that was sent last."""
    [gateway] = [entry for entry in serve.puts[-1]["applications"] if entry["name"] == "gateway"]
    return dict(gateway["deployments"][0]["user_config"])


@dataclass
class FakeSmoke:
    """A gateway that knows what the config in memory says and answers for everything that runs."""

    serve: FakeServe

    def ask(self, model_id: str, kind: str) -> SmokeAnswer:
        return SmokeAnswer("a completion", f"hello from {model_id}", 0.1)

    def models(self) -> frozenset[str]:
        return frozenset(gateway_config(self.serve)["models"])


@dataclass
class FakeClock:
    """The time of the cluster in memory: waiting makes it pass there."""

    serve: FakeServe

    def now(self) -> float:
        return self.serve.now

    def sleep(self, seconds: float) -> None:
        self.serve.advance(seconds)


def run(
    *arguments: str | Path,
    serve: FakeServe | None = None,
    variables: Mapping[str, str] | None = None,
    terminal: bool = False,
    answer: str = "",
    usage: Traffic | UnknownTraffic = UNUSED,
    said: Work | UnknownWork = UNHEARD,
) -> Ran:
    """Run `reconcile`. With `terminal` all three streams are one, and `answer` is what the person types; `usage` is
    what the gateway says of its traffic, `said` what it hears from the replicas."""
    kind = Terminal if terminal else io.StringIO
    stdin, out, err = kind(answer), kind(), kind()

    def connect(entry: object, env: object, directory: object) -> Any:
        assert serve is not None, "this run should not ask the cluster anything"
        return FakeConnection(serve, usage=usage, said=said)

    environment = Environment(
        variables or {"TERM": "dumb"},
        Console(variables or {"TERM": "dumb"}, stdin, out, err),
        connect=connect,
        smoke=lambda address, token: FakeSmoke(serve or FakeServe()),
        clock=lambda: FakeClock(serve or FakeServe()),
    )
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments], environment)
    return Ran(code, out.getvalue(), err.getvalue())


def write_registry(root: Path, *names: str) -> Path:
    """A registry with one cluster and a small model of each name."""
    (root / "clusters").mkdir(parents=True, exist_ok=True)
    (root / "clusters" / "test.yaml").write_text(CLUSTER)
    for name in names:
        (root / f"acme--{name}.yaml").write_text(MODEL.format(name=name))
    return root


@contextlib.contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """A file with a piece of it replaced."""
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    yield
    path.write_text(before)

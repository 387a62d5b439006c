"""What a run gets from outside, in one value that a test can replace."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from reconciler.cli.console import Console
from reconciler.cli.options import (
    CACHE_DIRECTORY_VARIABLE,
    DEFAULT_CACHE_DIRECTORY,
    DEFAULT_LOCAL_DIRECTORY,
    LOCAL_DIRECTORY_VARIABLE,
)

if TYPE_CHECKING:
    from reconciler.apply.clock import Clock
    from reconciler.apply.smoke import SmokeTest
    from reconciler.registry.registry import ClusterEntry
    from reconciler.serve.protocols import ClusterJobs, ServeReader, ServeWriter
    from reconciler.state.traffic import Traffic, UnknownTraffic
    from reconciler.state.work import UnknownWork, Work

    class Client(ServeReader, ServeWriter, ClusterJobs, Protocol):
        """Reads a cluster and changes it."""


class Connection(Protocol):
    """An open door to one cluster (`serve.connect.Connection`)."""

    @property
    def address(self) -> str:
        """Of the Ray dashboard, as shown to people."""
        ...

    @property
    def gateway_address(self) -> str:
        """Where clients reach the gateway."""
        ...

    @property
    def client(self) -> "Client":
        """What reads and changes the cluster."""
        ...

    def gateway_token(self) -> str | None:
        """Our own key to the gateway; None where it asks for none. Raises `ServeError`."""
        ...

    def traffic(self) -> "Traffic | UnknownTraffic":
        """Who uses the models, asked of the gateway now."""
        ...

    def work(self) -> "Work | UnknownWork":
        """What the replicas have to do and run, asked of the gateway now."""
        ...


Connect = Callable[["ClusterEntry", Mapping[str, str], Path], AbstractContextManager[Connection]]


def connect(entry: "ClusterEntry", variables: Mapping[str, str], directory: Path) -> AbstractContextManager[Connection]:
    """A connection to the real cluster. Imports the HTTP client."""
    from reconciler.serve.connect import connect as open_connection

    return open_connection(entry, env=variables, local_directory=directory)


def gateway_smoke(address: str, token: str | None) -> "SmokeTest":
    """The real smoke test: one request through the gateway."""
    from reconciler.apply.smoke import GatewaySmoke

    return GatewaySmoke(address, token)


def system_clock() -> "Clock":
    """The machine's clock."""
    from reconciler.apply.clock import SystemClock

    return SystemClock()


@dataclass(frozen=True, slots=True)
class Environment:
    """Environment variables, the console, and the doors to the cluster and to time."""

    variables: Mapping[str, str]
    console: Console
    connect: Connect = field(default=connect)
    smoke: Callable[[str, str | None], "SmokeTest"] = field(default=gateway_smoke)
    clock: Callable[[], "Clock"] = field(default=system_clock)

    @property
    def local_directory(self) -> Path:
        """The state folder of the embedded cluster."""
        return Path(self.variables.get(LOCAL_DIRECTORY_VARIABLE) or DEFAULT_LOCAL_DIRECTORY)

    @property
    def cache_directory(self) -> Path:
        """Where results are kept from run to run. It may be deleted at any time."""
        return Path(self.variables.get(CACHE_DIRECTORY_VARIABLE) or DEFAULT_CACHE_DIRECTORY)


def process_environment() -> Environment:
    """That of this process."""
    return Environment(dict(os.environ), Console(os.environ, sys.stdin, sys.stdout, sys.stderr))

"""One Ray node on this machine: its ports, its command line, its environment."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.serve.errors import LocalError

_PORTS = range(20_000, 30_000)
"""Below the range that systems take for outgoing connections, so that a free one stays free for a moment."""

_OBJECT_STORE_BYTES = 256 * 1024 * 1024
"""Enough for the tiny models, and small enough for a container's shared memory."""

_LONGEST_TEMP = 40
"""Ray's socket paths below the temporary folder take some 65 of the 107 characters (103 on macOS) a socket may have."""


@dataclass(frozen=True, slots=True)
class NodeResources:
    """The logical resources a node pretends to have."""

    num_cpus: int = 8
    num_gpus: int = 0
    resources: Mapping[str, float] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        """As `ray start` takes them."""
        return [
            f"--num-cpus={self.num_cpus}",
            f"--num-gpus={self.num_gpus}",
            f"--resources={json.dumps(dict(self.resources))}",
        ]


def free_ports(count: int) -> list[int]:
    """Distinct ports that nobody listens on now."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise LocalError("no free port is left between 20000 and 30000", "stop what listens there")


def temp_directory() -> Path:
    """A new folder with a short path, for Ray's sockets."""
    parent = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="rec-", dir=parent if len(parent) <= _LONGEST_TEMP - 13 else "/tmp"))


def environment(auth: str, token_file: Path, models: Path) -> dict[str, str]:
    """What Ray's processes see: the caller's environment without its Ray settings, which may belong to another
    cluster, and authentication said explicitly, because Ray switches it on by itself when it finds a token file."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    # Every replica is a new process that imports Ray and vLLM: twice as slow where Python may not keep bytecode.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env |= {
        "RAY_AUTH_MODE": auth,
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray runs replicas with the lowest priority but four: beside a build or a test run they would hardly start.
        "RAY_worker_niceness": "0",
        "RECONCILER_LOCAL_MODELS": str(models),
    }
    if auth == "token":
        env["RAY_AUTH_TOKEN_PATH"] = str(token_file)
    return env


def head_arguments(gcs: int, dashboard: int, resources: NodeResources) -> list[str]:
    """`ray start` of a head node, everything on ports that are free or chosen by the system."""
    return [
        "--head",
        f"--port={gcs}",
        "--include-dashboard=true",
        "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}",
        f"--ray-client-server-port={free_ports(1)[0]}",
        *resources.arguments(),
    ]


def worker_arguments(gcs_address: str, resources: NodeResources) -> list[str]:
    """`ray start` of one more node."""
    return [f"--address={gcs_address}", *resources.arguments()]


def start(arguments: list[str], env: Mapping[str, str], temp: Path, log_file: Path) -> subprocess.Popen[bytes]:
    """Start a node that stays the parent of all its processes, in a session of its own, so that an interrupt at the
    terminal reaches only this program, which then stops it in order."""
    command = [
        _ray(),
        "start",
        "--block",
        "--disable-usage-stats",
        f"--temp-dir={temp}",
        f"--object-store-memory={_OBJECT_STORE_BYTES}",
        f"--dashboard-agent-listen-port={free_ports(1)[0]}",
        # 0: any free port. The default is a fixed range, which two clusters on one machine would fight over.
        "--min-worker-port=0",
        "--max-worker-port=0",
        *arguments,
    ]
    with log_file.open("ab") as log:
        return subprocess.Popen(
            command, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=temp, start_new_session=True
        )


def _ray() -> str:
    beside = Path(sys.executable).parent / "ray"
    found = str(beside) if beside.is_file() else shutil.which("ray")
    if found is None:
        raise LocalError(
            "the local cluster needs Ray, which is not installed beside this command",
            "install it with `pip install 'reconciler[cpu]'`",
        )
    return found

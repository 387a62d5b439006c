"""A real Ray cluster of several nodes on this machine, with logical GPUs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from reconciler.serve.errors import LocalError
from reconciler.serve.local import node, processes
from reconciler.serve.local.cluster import add_node, down, up
from reconciler.serve.local.node import NodeResources
from reconciler.serve.local.processes import ProcessId
from reconciler.serve.local.record import LocalCluster

SHAPES = (NodeResources(5, 4, {"big": 1}), NodeResources(6, 3), NodeResources(8, 2, {"accelerator_type:L4": 1}))
"""The nodes beside the head, which has 4 CPUs and no GPU: none is like another."""


@contextmanager
def cluster_of_nodes(directory: Path, *, auth: str) -> Iterator[LocalCluster]:
    """A head and one node of each shape, stopped at the end."""
    try:
        found = up(directory, auth=auth, num_cpus=4)
        for shape in SHAPES:
            found = _joined(directory, shape)
        yield found
    finally:
        down(directory)


def lose(leader: ProcessId) -> None:
    """A node that this process leads, and everything on it, is gone at once."""
    for process in processes.with_descendants([leader]):
        os.kill(process.pid, signal.SIGKILL)


def _joined(directory: Path, shape: NodeResources) -> LocalCluster:
    """One more node. On a busy machine it may not come up within the thirty seconds that Ray gives it."""
    for _ in range(2):
        with suppress(LocalError):
            return add_node(directory, shape)
    return add_node(directory, shape)


class Driver:
    """The program `tests.support.groups`, running against a cluster."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def make(self, bundles: list[dict[str, float]], strategy: str, wait_s: float) -> list[str] | None:
        """Make a placement group that stays; the node of each bundle, or None if it is pending after `wait_s`."""
        nodes = self._ask({"bundles": bundles, "strategy": strategy, "wait_s": wait_s})["nodes"]
        assert nodes is None or isinstance(nodes, list)
        return nodes

    def clear(self) -> None:
        """Remove all groups."""
        self._ask({"clear": True})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("answer:"):
                return dict(json.loads(line.removeprefix("answer:")))
        raise AssertionError(f"the driver ended with {self._process.wait()}")


@contextmanager
def driver(cluster: LocalCluster) -> Iterator[Driver]:
    """Start the driver, and end it."""
    env = node.environment(cluster.auth, cluster.token_file, cluster.models_directory)
    script = Path(__file__).with_name("groups.py")
    command = [sys.executable, str(script), cluster.gcs_address]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Driver(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

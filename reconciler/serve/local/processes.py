"""Processes that were started here, told apart from strangers that got a recycled number, and their end.

A process is known by its id and its start time. Nothing is ever stopped by name.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_GRACE_S = 5.0
"""Seconds for an orderly end, in which vLLM removes its shared memory; then what is left is killed."""
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process id with the start time the system reports for it, in the system's own notation."""

    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class _Process:
    id: ProcessId
    parent: int
    session: int
    """The leader of its session, 0 where the system does not tell."""


def identify(pid: int) -> ProcessId | None:
    """The process that has this id now, or None."""
    found = _table().get(pid)
    return found.id if found else None


def is_running(process: ProcessId) -> bool:
    """Whether that very process still runs."""
    return identify(process.pid) == process


def with_descendants(processes: Iterable[ProcessId]) -> tuple[ProcessId, ...]:
    """Those of the processes that still run, all they started, and all in the sessions they lead."""
    table = _table()
    children: dict[int, list[_Process]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process)
        if process.session != process.id.pid:
            children.setdefault(process.session, []).append(process)
    found: dict[int, ProcessId] = {}
    queue = [table[known.pid] for known in processes if known.pid in table and table[known.pid].id == known]
    while queue:
        process = queue.pop(0)
        if process.id.pid not in found:
            found[process.id.pid] = process.id
            queue.extend(children.get(process.id.pid, ()))
    return tuple(found.values())


def stop(leaders: tuple[ProcessId, ...], others: tuple[ProcessId, ...] = ()) -> None:
    """End the leaders, the `others` they started earlier, and all that those started; return when none is left.

    All are asked at once: Ray's own way, one after the other, takes half a minute. The leaders go last, because what
    they lead is found through them.
    """
    family = with_descendants((*leaders, *others))
    led = tuple(process for process in family if process not in leaders)
    _signal(led, signal.SIGTERM)
    _signal(_wait(led, _GRACE_S), signal.SIGKILL)
    rest = with_descendants((*leaders, *led))
    _signal(rest, signal.SIGKILL)
    _wait(rest, _GRACE_S)


def _wait(processes: tuple[ProcessId, ...], limit_s: float) -> tuple[ProcessId, ...]:
    """Those that still run after the limit."""
    deadline = time.monotonic() + limit_s
    left = processes
    while left and time.monotonic() < deadline:
        _reap(left)
        running = {process.id for process in _table().values()}
        left = tuple(process for process in left if process in running)
        if left:
            time.sleep(_POLL_S)
    return left


def _signal(processes: Iterable[ProcessId], number: int) -> None:
    for process in processes:
        if is_running(process):
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue


def _reap(processes: Iterable[ProcessId]) -> None:
    """Collect the exit codes of our own children, which would stay in the table as zombies."""
    for process in processes:
        try:
            os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:
            continue


def _table() -> dict[int, _Process]:
    """All processes that run, zombies left out."""
    rows = _proc_rows() if sys.platform == "linux" else _ps_rows()
    return {pid: _Process(ProcessId(pid, started), parent, session) for pid, parent, session, started in rows}


def _proc_rows() -> Iterable[tuple[int, int, int, str]]:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text(errors="replace")
        except OSError:
            continue
        # The name stands in parentheses and may hold anything; after it: state, parent, group, session, ..., start.
        fields = stat.rpartition(")")[2].split()
        if fields[0] not in ("Z", "X"):
            yield int(folder.name), int(fields[1]), int(fields[3]), f"{boot}:{fields[19]}"


def _ps_rows() -> Iterable[tuple[int, int, int, str]]:
    output = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,state=,lstart="], capture_output=True, text=True, check=True
    ).stdout
    for line in output.splitlines():
        pid, parent, state, started = line.split(None, 3)
        if not state.startswith("Z"):
            yield int(pid), int(parent), 0, started.strip()

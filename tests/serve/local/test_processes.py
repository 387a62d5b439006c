"""Processes are known by id and start time, and a family is ended whole."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.serve.local import processes
from reconciler.serve.local.processes import ProcessId, identify, is_running, stop, with_descendants

SLEEP = "import time; time.sleep(300)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {SLEEP}"
ORPHANING = f"import subprocess; subprocess.run(['sh', '-c', 'sleep 300 >/dev/null & echo $!']); {SLEEP}"
PARENT = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {child!r}]{options});"
    "print(child.pid, flush=True); child.wait()"
)


@contextmanager
def running(code: str) -> Iterator[tuple[ProcessId, subprocess.Popen[str]]]:
    """A Python process in a session of its own that has printed its first line, if it prints any."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        found = identify(process.pid)
        assert found is not None
        yield found, process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def identified(pid: int) -> ProcessId:
    found = identify(pid)
    assert found is not None
    return found


def test_a_process_is_itself_until_it_ends() -> None:
    with running(SLEEP) as (process, _):
        assert is_running(process)
        stop((process,))
        assert not is_running(process)


def test_the_same_number_with_another_start_is_another_process() -> None:
    stranger = ProcessId(os.getpid(), "some other time")
    assert not is_running(stranger)
    assert with_descendants([stranger]) == ()
    stop((stranger,), (stranger,))


@pytest.mark.parametrize("options", ["", ", start_new_session=True", ", process_group=0"])
def test_a_family_is_found_and_ended_whole(options: str) -> None:
    with running(PARENT.format(child=SLEEP, options=options)) as (parent, process):
        child = identified(int(first_line(process)))
        assert set(with_descendants([parent])) == {parent, child}
        stop((parent,))
        assert not is_running(child)
        assert not is_running(parent)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the session of a process")
def test_an_orphan_is_found_through_the_session_of_its_leader() -> None:
    with running(ORPHANING) as (leader, process):
        orphan = identified(int(first_line(process)))
        assert orphan in with_descendants([leader])
        stop((leader,))
        assert not is_running(orphan)


def test_those_started_earlier_are_ended_though_their_leader_is_gone() -> None:
    with running(PARENT.format(child=SLEEP, options="")) as (parent, process):
        child = identified(int(first_line(process)))
        process.kill()
        process.wait()
        assert is_running(child)
        stop((parent,), (parent, child))
        assert not is_running(child)


def test_what_ignores_the_request_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 0.3)
    with running(PARENT.format(child=STUBBORN, options="")) as (parent, process):
        child = identified(int(first_line(process)))
        assert first_line(process) == "up"
        stop((parent,))
        assert not is_running(child)


def test_a_zombie_does_not_run() -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    started = identify(process.pid)
    deadline = time.monotonic() + 20
    while identify(process.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert identify(process.pid) is None
    assert started is None or not is_running(started)
    process.wait()

from dataclasses import replace

from reconciler.apply.logs import new_logs
from reconciler.apply.watch import resumed
from reconciler.serve.errors import Unreachable
from reconciler.state.live import Replica
from tests.support.fake_serve import FakeServe
from tests.support.states import live_application

WATCH = resumed("chat", "org/chat", 60.0, 0.0)


class BrokenLogs(FakeServe):
    """A cluster whose logs cannot be read."""

    def replica_log(self, path: str, node_id: str | None, lines: int = 200) -> str:
        raise Unreachable("gone")


def test_the_newest_replicas_of_the_new_version_are_read() -> None:
    entry = live_application({"name": "chat"}, count=1)
    dead = tuple(Replica(f"dead{number}", "STOPPED", "n", f"/dead{number}.log") for number in range(4))
    entry = replace(entry, deployments=(replace(entry.deployments[0], recent_dead=dead),))
    serve = FakeServe()
    serve.logs = {f"/dead{number}.log": f"log {number}" for number in range(4)}
    assert new_logs(WATCH, entry, serve) == "log 3\nlog 2"
    known = replace(WATCH, known=frozenset({"chat#0", "dead3"}))
    assert new_logs(known, entry, serve) == "log 2\nlog 1\nlog 0"


def test_a_replica_that_has_no_log_yet_is_passed_over() -> None:
    entry = live_application({"name": "chat"})
    entry = replace(entry, deployments=(replace(entry.deployments[0], replicas=(Replica("new", "STARTING"),)),))
    assert new_logs(WATCH, entry, FakeServe()) == ""


def test_what_the_engine_process_wrote_comes_after_the_log() -> None:
    entry = live_application({"name": "chat"})
    failed = Replica("new", "STOPPED", "n", "/new.log", "actor-new")
    entry = replace(entry, deployments=(replace(entry.deployments[0], replicas=(), recent_dead=(failed,)),))
    serve = FakeServe()
    serve.logs, serve.outputs = {"/new.log": "starting"}, {"actor-new": "root cause"}
    assert new_logs(WATCH, entry, serve) == "starting\nroot cause"


def test_logs_that_cannot_be_read_are_left_out() -> None:
    assert new_logs(WATCH, live_application({"name": "chat"}), BrokenLogs()) == ""
    assert new_logs(WATCH, None, FakeServe()) == ""

"""Changing one's mind under constant load on real Ray: the registry goes from A to B and back, once more to B or on to
C, while the change before is under way, early, in the middle or late. With surge no request fails; without it some do.

Every change is `reconcile apply` as a process of its own; one that is overtaken gets an interrupt, as from a CI job
that is cancelled by the next.
"""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from reconciler.state.live import ApplicationStatus
from tests.faults.conftest import VERSIONS
from tests.support.load import load
from tests.support.ray_rig import RayRig
from tests.support.soak import sampled

pytestmark = pytest.mark.ray

WAYS = ("ABA", "ABAB", "ABAC")
MOMENTS = ("early", "middle", "late")
MODELS = {1: "chat", 3: "three"}
"""Names of the models by number of replicas."""


@dataclass(frozen=True)
class Case:
    """The way, when each change but the last is overtaken, whether B can start, and how many replicas there are."""

    way: str
    moment: str
    good: bool
    replicas: int

    def __str__(self) -> str:
        return f"{'-'.join(self.way)} {self.moment}, {'good' if self.good else 'failing'} B, {self.replicas} replicas"


CASES = [Case(*values) for values in product(WAYS, MOMENTS, (True, False), MODELS)]
SAMPLE = [Case("ABAC", "middle", True, 3), Case("ABA", "late", False, 1)]


@pytest.fixture(scope="module", autouse=True)
def models(rig: RayRig) -> Iterator[None]:
    """A model with one replica, and one with three."""
    for replicas, name in MODELS.items():
        rig.write(name, replicas=replicas, version=next(VERSIONS), startup_s=2)
    assert rig.apply().code == 0
    yield
    rig.remove("three")
    assert rig.apply("--allow-delete").code == 0


@pytest.mark.parametrize("case", sampled(CASES, SAMPLE), ids=str)
def test_no_request_fails_where_surge_fits(case: Case, rig: RayRig) -> None:
    before = rig.live()
    travel(case, rig)
    rig.assert_nothing_of_others_moved(before)


def test_without_surge_requests_fail_and_the_same_test_says_so(rig: RayRig) -> None:
    """The control: clients that do not wait as long as a replica takes to start notice that there was none. Surge is
    off where no second replica fits, and the downtime is allowed."""
    case = Case("AB", "late", True, 1)
    rig.write("chat", startup_s=12)
    travel(case, rig, patience_s=8.0)
    rig.write("chat", num_cpus=9, startup_s=0.5)
    assert rig.apply().code == 0
    rig.write("chat", startup_s=12)
    with pytest.raises(AssertionError, match="requests failed: "):
        travel(case, rig, "--allow-downtime", patience_s=8.0)
    rig.write("chat", num_cpus=0.1, startup_s=2)
    assert rig.apply("--allow-downtime").code == 0


def travel(case: Case, rig: RayRig, *flags: str, patience_s: float = 30.0) -> None:
    """Go that way under load. Raises AssertionError when a request failed, or when it does not end where it should."""
    name = MODELS[case.replicas]
    start = rig.models[name]["version"]
    bad = {} if case.good else {"fail": "CUDA out of memory"}
    stops: dict[str, dict[str, Any]] = {
        "A": {"version": start, "fail": ""},
        "B": {"version": next(VERSIONS), "fail": "", **bad},
        "C": {"version": next(VERSIONS), "fail": ""},
    }
    with load(rig.cluster.gateway_address, f"acme/{name}", patience_s=patience_s) as asked:
        for stop in case.way[1:-1]:
            rig.write(name, **stops[stop])
            interrupted_at(case.moment, rig, f"acme--{name}", *flags)
        rig.write(name, **stops[case.way[-1]])
        ran = rig.apply(*flags)
        ends_bad = case.way[-1] == "B" and not case.good
        assert ran.code == (1 if ends_bad else 0), ran
    end = stops["A"] if ends_bad else stops[case.way[-1]]
    rig.write(name, **end)
    assert rig.application(f"acme--{name}").status is ApplicationStatus.RUNNING
    assert len(rig.replica_ids(f"acme--{name}")) == case.replicas
    with load(rig.cluster.gateway_address, f"acme/{name}", clients=1) as now:
        while not now.total:
            time.sleep(0.1)
    assert set(now.answers) == {end["version"]}
    asked.assert_never_failed()


def interrupted_at(moment: str, rig: RayRig, application: str, *flags: str) -> None:
    """Apply in a process and interrupt it at that moment, unless it has come to its end before."""
    before = rig.known_ids(application)
    rig.proxy.calm()
    process = rig.start(*flags)
    while process.poll() is None and not (rig.proxy.answered_puts and is_at(moment, rig, application, before)):
        time.sleep(0.1)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode in (0, 1, 130) and rig.proxy.answered_puts, (out, err)


def is_at(moment: str, rig: RayRig, application: str, before: Mapping[str, str]) -> bool:
    """Whether a change whose PUT was accepted has come that far: `early` at once, in the `middle` when a new replica
    starts, `late` when one runs or has died."""
    if moment == "early":
        return True
    new = [state for replica_id, state in rig.known_ids(application).items() if replica_id not in before]
    return bool(new) if moment == "middle" else any(state != "STARTING" for state in new)

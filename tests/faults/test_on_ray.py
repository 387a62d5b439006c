"""The same faults before a real dashboard: one of each at the PUT, together with one at a read after it, while a light
model changes; then one model that fails and whose way back is disturbed; and runs that are killed.

Each test wants the model changed again, so that none has to put anything back.
"""

from collections.abc import Callable
from functools import partial

import pytest

from reconciler.serve import connect, transport
from reconciler.serve.rest import RestClient
from reconciler.state.live import LiveState
from tests.faults.conftest import VERSIONS
from tests.support.cli import Ran
from tests.support.fault_proxy import Request, Rule
from tests.support.faults import LIST_FAULTS, WRITE_FAULTS, Fault
from tests.support.ray_rig import SECRET, RayRig
from tests.support.rig import killed_at
from tests.support.soak import sampled

pytestmark = pytest.mark.ray

PAIRS = list(zip(WRITE_FAULTS, LIST_FAULTS, strict=True))
FINAL = Fault.UNAUTHORIZED
"""At a PUT: what sending again cannot help."""


@pytest.fixture
def before(rig: RayRig) -> LiveState:
    """The cluster before the test, with nothing on its way."""
    rig.proxy.calm()
    return rig.live()


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no answer longer than a machine with much to do takes."""
    monkeypatch.setattr(transport, "WRITE_TIMEOUT_S", 6.0)
    monkeypatch.setattr(connect, "RestClient", partial(RestClient, timeout_s=10.0))


def after_put(fault: Fault) -> Rule:
    """That fault at the first read of the applications after a PUT, which is the read back."""
    sent: list[Request] = []

    def matches(request: Request) -> bool:
        if request.is_put:
            sent.append(request)
        return request.is_list and bool(sent)

    return Rule(fault, matches)


def finish(rig: RayRig, before: LiveState) -> Ran:
    """Run again without trouble: it succeeds, the next one has nothing to do, the neighbour is as it was."""
    rig.proxy.calm()
    ran = rig.apply()
    assert ran.code == 0, ran
    again = ran if "Nothing to do" in ran.out else rig.apply()
    assert again.code == 0
    assert "Nothing to do" in again.out
    rig.assert_nothing_of_others_moved(before)
    return ran


@pytest.mark.parametrize(("write", "read"), PAIRS, ids=[f"{write.name}, {read.name}" for write, read in PAIRS])
def test_one_of_each_fault(
    write: Fault, read: Fault, rig: RayRig, before: LiveState, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    rig.write("chat", ongoing=next(VERSIONS) + 10)
    [serving] = rig.replica_ids("acme--chat")
    rig.proxy.rules = [Rule(write, lambda request: request.is_put), after_put(read)]
    ran = rig.apply()
    assert SECRET not in ran.out + ran.err
    if write is FINAL:
        assert ran.code == 1
        assert "the cluster did not take the document, and nothing changed" in ran.out
        assert "token (401)" in ran.out
    else:
        assert ran.code == 0, ran
        assert "Apply: 1 applied" in ran.out
    finish(rig, before)
    assert rig.replica_ids("acme--chat") == (serving,)


@pytest.mark.parametrize("fault", sampled(WRITE_FAULTS, [Fault.RESET_AFTER]), ids=lambda fault: fault.name)
def test_a_way_back_that_is_disturbed(
    fault: Fault, rig: RayRig, before: LiveState, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    rig.write("chat", version=next(VERSIONS), startup_s=0.5, fail="CUDA out of memory")
    serving = rig.replica_ids("acme--chat")
    rig.proxy.rules = [Rule(fault, lambda request: request.is_put, nth=2)]
    ran = rig.apply()
    assert ran.code == 1
    if fault is FINAL:
        assert "it could not be rolled back" in ran.out
    else:
        assert "its previous config serves again" in ran.out
    assert rig.replica_ids("acme--chat") == serving
    rig.write("chat", version=next(VERSIONS), fail="")
    finish(rig, before)


def nth(number: int, picks: Callable[[Request], bool]) -> Callable[[Request], bool]:
    """Picks that one of the requests that `picks` picks. May be asked about a request more than once."""
    picked: list[int] = []

    def where(request: Request) -> bool:
        if picks(request) and request.number not in picked:
            picked.append(request.number)
        return picked[number - 1 : number] == [request.number]

    return where


PLACES = {
    "before the PUT": (1, "put", False),
    "after the PUT": (1, "put", True),
    "while it waits": (5, "list", False),
    "after the record": (2, "put", True),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_process_is_finished_by_the_next(place: str, rig: RayRig, before: LiveState) -> None:
    number, kind, arrived = PLACES[place]
    changed(rig)
    where = nth(number, lambda request: request.is_put if kind == "put" else request.is_list)
    killed = killed_at(rig.proxy, rig.start, where, arrived=arrived)
    assert killed.code == -9, killed
    ran = finish(rig, before)
    if place == "before the PUT":
        assert "Apply: 2 applied" in ran.out
    elif place == "after the record":
        assert "Nothing to do" in ran.out
    else:
        assert "acme--chat: applied" in ran.out
        assert "serves now; answered a real request" in ran.out


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, 61))
def test_a_process_killed_at_any_request_is_finished_by_the_next(number: int, rig: RayRig, before: LiveState) -> None:
    """Before every request in turn; after each PUT is above, and to the cluster a read is the same whether its answer
    arrives or not. How often a run looks depends on the machine: one that has ended before that is as good. A person
    ends the lease of the dead, rather than wait for its end sixty times."""
    changed(rig)
    killed = killed_at(rig.proxy, rig.start, nth(number, lambda request: True), arrived=False)
    assert killed.code == -9 or (killed.code == 0 and number > 30), killed
    assert rig.run("unlock", "--force", "--auto-approve").code == 0
    finish(rig, before)


def changed(rig: RayRig) -> None:
    """One model is to be restarted, the other to be changed in place."""
    rig.write("chat", version=next(VERSIONS), startup_s=0.5)
    rig.write("other", ongoing=next(VERSIONS) + 10)

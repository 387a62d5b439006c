"""Every fault at every place of an apply that changes three models, one of which fails and has to go back.

The right outcome: applied and rolled back as without the fault; or stopped with a message that says what is wrong, an
exit code of 1 and nothing half done. The neighbour is untouched, and running again ends where it should.
"""

import re
from enum import Enum, auto
from pathlib import Path

import pytest

from reconciler.apply import pursuit
from tests.faults.places import FIRST, faults_of, places, rule
from tests.faults.stories import assert_converges, mend, story, undisturbed
from tests.support.cli import Ran
from tests.support.fault_proxy import Request, Rule
from tests.support.faults import Fault
from tests.support.rig import Rig, impatient

REQUESTS = undisturbed("roll back")
PLACES = places(REQUESTS)
IN_EVERY_RUN = (
    FIRST,
    "the PUT of the change",
    "the read back of the change",
    "the read after the change",
    "the read before the rollback",
    "the PUT of the rollback",
)
CASES = [
    pytest.param(place, fault, marks=() if place in IN_EVERY_RUN else pytest.mark.soak, id=f"{place}: {fault.name}")
    for place, request in PLACES.items()
    for fault in faults_of(request)
]
SAID = {
    Fault.TIMEOUT_AFTER: r"cannot reach the Ray dashboard at \S+ \(no answer in time\)",
    Fault.BROKEN_AFTER: r"/api/serve/applications/ answered 500",
    Fault.UNAUTHORIZED: r"wants a token \(401\)",
    Fault.EMPTY: r"did not answer JSON",
    Fault.GARBLED: r"did not answer JSON",
    Fault.REDACTED: r"hides environment values",
}
"""What is said about a fault that a read does not get over by asking again."""


class Expected(Enum):
    """How an apply can end."""

    AS_WITHOUT = auto()
    """The good changes are applied, and what fails goes back."""
    STOPPED = auto()
    """Nothing was sent."""
    REFUSED = auto()
    """The document was not taken, and nothing changed."""
    LEFT = auto()
    """The good changes are applied, and what failed stands as it is, because the way back was refused."""
    UNRECORDED = auto()
    """As without the fault, apart from the record of it."""


def expected(place: str, fault: Fault) -> Expected:
    """The right outcome."""
    if place == "the read before the record" and fault in SAID:
        return Expected.UNRECORDED
    if place in (FIRST, "the read before the change") and fault in SAID:
        return Expected.STOPPED
    if fault is Fault.UNAUTHORIZED and place.startswith("the PUT"):
        return {"change": Expected.REFUSED, "rollback": Expected.LEFT, "record": Expected.UNRECORDED}[place.split()[-1]]
    return Expected.AS_WITHOUT


@pytest.mark.parametrize(("place", "fault"), CASES)
def test_a_fault_ends_in_the_right_outcome(
    place: str, fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with story("roll back", tmp_path / "registry") as rig:
        before = rig.live()
        rig.proxy.rules = [rule(fault, PLACES[place])]
        with impatient(rig, patience(fault), monkeypatch):
            ran = rig.apply()
        assert ran.code == 1
        check(expected(place, fault), fault, ran, rig)
        rig.assert_nothing_of_others_moved(before)
        rig.proxy.calm()
        mend(rig)
        assert_converges(rig, rig.apply)
        rig.assert_nothing_of_others_moved(before)


def check(end: Expected, fault: Fault, ran: Ran, rig: Rig) -> None:
    """What was said, and what the cluster has."""
    assert "unexpected" not in ran.err
    assert "as-the-sea" not in ran.out + ran.err
    said = SAID.get(fault, "")
    if end in (Expected.AS_WITHOUT, Expected.UNRECORDED):
        assert "Apply: 3 applied, 1 failed and rolled back" in ran.out
        assert "its previous config serves again" in ran.out
        assert "error:" not in ran.err
        noted = [line for line in ran.err.splitlines() if line.startswith("warning")]
        assert len(noted) == (end is Expected.UNRECORDED)
    elif end is Expected.STOPPED:
        assert re.search(rf"^error: .*{said}", ran.err, re.MULTILINE), ran.err
        assert "hint:" in ran.err
        assert rig.serve.puts == []
        assert "applied" not in ran.out
    elif end is Expected.REFUSED:
        assert "Apply: 4 failed" in ran.out
        assert re.search(rf"the cluster did not take the document, and nothing changed: .*{said}", ran.out)
        assert rig.serve.puts == []
    else:
        assert "Apply: 3 applied, 1 failed\n" in ran.out
        assert re.search(rf"it could not be rolled back: .*{said}", ran.out)


def patience(fault: Fault) -> float:
    """Seconds that clients wait for an answer."""
    return 1.0 if fault in (Fault.TIMEOUT, Fault.TIMEOUT_AFTER) else 15.0


@pytest.mark.soak
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request.number} {request.method} {request.path}")
def test_every_fault_at_every_request(request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests, those for nodes, logs and answers of models included."""
    for fault in faults_of(request_):
        disturb(fault, request_, 1, tmp_path / fault.name, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("place", PLACES)
def test_trouble_that_stays(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From that request on every one of its kind meets the fault. A run that waits for long looks less often here."""
    monkeypatch.setattr(pursuit, "POLL_S", 10.0)
    for fault in faults_of(PLACES[place]):
        if "TIMEOUT" not in fault.name:
            disturb(fault, PLACES[place], 1_000_000, tmp_path / fault.name, monkeypatch)


def disturb(fault: Fault, request: Request, times: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the outcome, it is told and nobody else is harmed; afterwards running again ends where it should."""
    where = f"{fault.name} at {request}"
    with story("roll back", folder / "registry") as rig:
        before = rig.live()
        rig.proxy.rules = [rule(fault, request, times)]
        with impatient(rig, patience(fault), monkeypatch):
            ran = rig.apply()
        assert ran.code == 1, f"{where}: {ran}"
        assert "error:" in ran.err or "failed" in ran.out, f"{where}: {ran}"
        assert "unexpected" not in ran.err, f"{where}: {ran}"
        assert "as-the-sea" not in ran.out + ran.err, f"{where}: {ran}"
        rig.assert_nothing_of_others_moved(before)
        rig.proxy.calm()
        mend(rig)
        assert_converges(rig, rig.apply)
        rig.assert_nothing_of_others_moved(before)


def test_what_a_stale_answer_hid_is_noticed_and_named(tmp_path: Path) -> None:
    """The read right before the PUT shows the cluster before somebody deployed something."""
    stranger = {"name": "stranger", "route_prefix": "/s", "import_path": "s:build", "args": {"greeting": "new here"}}
    with story("change", tmp_path / "registry") as rig:
        read = PLACES["the read before the change"]

        def intrude(request: object) -> None:
            if request == read:
                live = rig.live()
                configs = [dict(entry.application.config) for entry in live.applications if entry.application]
                rig.serve.intrude({**live.options, "applications": [*configs, stranger]})

        rig.proxy.before = intrude
        rig.proxy.rules = [Rule(Fault.STALE, lambda request: request == read)]
        ran = rig.apply()
        assert ran.code == 1
        assert "somebody else wrote to the cluster at the same moment (appeared: `stranger`)" in ran.err

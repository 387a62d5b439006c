from dataclasses import replace

from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.work import ReplicaWork, UnknownWork, Work
from reconciler.status.changes import changes, first_look
from reconciler.status.observe import observe
from reconciler.status.report import StatusReport
from tests.support.states import deployed, desired, gpu_nodes, live_application, model

STATE = desired(model("org/a"))
LIVE = deployed(STATE)


def seen(live: LiveState = LIVE, requests: int = 3, ongoing: int = 0) -> StatusReport:
    return observe(STATE, live, Work({"org--a": (ReplicaWork("org--a#0", requests, ongoing, 1.0, 100.0),)}), "t")


def other(**fields: object) -> LiveState:
    there = LIVE.application("org--a")
    assert there is not None
    others = tuple(one for one in LIVE.applications if one.name != "org--a")
    return replace(LIVE, applications=(*others, replace(there, **fields)))  # type: ignore[arg-type]


def test_what_is_there_at_first() -> None:
    assert first_look(seen()) == [
        "gateway: RUNNING; 1 of 1 replica run",
        "org--a: RUNNING; 1 of 1 replica run; 3 requests, 0 in flight",
    ]
    assert first_look(observe(STATE, replace(LIVE, applications=()), Work({}), "t")) == [
        "gateway: not there",
        "org--a: not there",
    ]


def test_time_alone_changes_nothing() -> None:
    assert changes(seen(), replace(seen(), time="later")) == []
    idle = observe(STATE, LIVE, Work({"org--a": (ReplicaWork("org--a#0", 3, 0, 9.0, 108.0),)}), "t")
    assert changes(seen(), idle) == []


def test_requests_that_come_and_are_answered() -> None:
    assert changes(seen(), seen(requests=5, ongoing=1)) == ["org--a: 2 more requests, 1 in flight"]
    assert changes(seen(ongoing=1), seen()) == ["org--a: 0 in flight"]
    assert changes(seen(requests=9), seen(requests=0)) == []


def test_a_status_that_changes_says_why() -> None:
    ill = other(status=ApplicationStatus.UNHEALTHY, message="\nout of memory\nmore")
    assert changes(seen(), seen(ill)) == ["org--a: UNHEALTHY, was RUNNING (out of memory)"]
    assert changes(seen(ill), seen(other(status=ApplicationStatus.UNHEALTHY, message="worse"))) == [
        "org--a: UNHEALTHY (worse)"
    ]


def test_replicas_that_come_and_go() -> None:
    config = LIVE.applications[1].application
    assert config is not None
    two = other(deployments=live_application(config.config, count=2).deployments)
    assert changes(seen(), seen(two)) == [
        "org--a: 2 of 2 replicas run, was 1 of 1; org--a#1 RUNNING",
    ]
    assert changes(seen(two), seen()) == ["org--a: 1 of 1 replica run, was 2 of 2; org--a#1 gone"]


def test_applications_and_nodes_that_come_and_go() -> None:
    nothing = replace(LIVE, applications=(), nodes=gpu_nodes(3))
    assert changes(seen(nothing), seen()) == [
        "gateway: RUNNING, was not there; 1 of 1 replica run, was 0 of 0; gateway#0 RUNNING",
        "org--a: RUNNING, was not there; 1 of 1 replica run, was 0 of 0; org--a#0 RUNNING",
        "nodes: node-1 gone; node-2 gone",
    ]
    foreign = replace(LIVE, applications=(*LIVE.applications, live_application({"name": "theirs"})))
    assert changes(seen(), seen(foreign)) == ["theirs: RUNNING; 1 of 1 replica run"]
    assert changes(seen(foreign), seen()) == ["theirs: gone"]


def test_a_gateway_that_says_nothing_any_more() -> None:
    silent = observe(STATE, LIVE, UnknownWork("it is down"), "t")
    assert changes(seen(), silent) == ["what the replicas have to do is not known: it is down"]
    assert changes(silent, seen()) == ["the replicas say again what they have to do"]

import json
from dataclasses import replace

import jsonschema
import pytest

from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState
from reconciler.state.work import ReplicaWork, UnknownWork, Work
from reconciler.status.encode import status_json
from reconciler.status.observe import observe
from reconciler.status.report import ApplicationReport, Load
from reconciler.status.schema import status_schema
from tests.support.states import deployed, desired, foreign, live, live_application, model, replicas

TIME = "2026-03-01T10:40:03+00:00"
STATE = desired(model("org/a", deployment=replicas(2)), model("org/b"))
LIVE = deployed(STATE, foreign())


def work(*said: ReplicaWork) -> Work:
    return Work({"org--a": said})


def counted(replica: str | None, requests: int = 3, ongoing: int = 0, last_s: float | None = 5.0) -> ReplicaWork:
    return ReplicaWork(replica, requests, ongoing, last_s, 100.0)


def seen(name: str, said: Work | UnknownWork, state: LiveState = LIVE) -> ApplicationReport:
    [found] = [entry for entry in observe(STATE, state, said, TIME).applications if entry.name == name]
    return found


def changed(there: LiveApplication) -> LiveState:
    return replace(LIVE, applications=(*(one for one in LIVE.applications if one.name != there.name), there))


def test_ours_come_first_the_gateway_before_all_and_what_is_missing_is_there() -> None:
    orphan = live_application({"name": "an-orphan", "args": {"owner": "team"}})
    report = observe(STATE, live(foreign(), orphan), Work({}), TIME)
    assert [(one.name, one.ours, one.wanted, one.status) for one in report.applications] == [
        ("gateway", True, True, None),
        ("an-orphan", True, False, ApplicationStatus.RUNNING),
        ("org--a", True, True, None),
        ("org--b", True, True, None),
        ("theirs", False, False, ApplicationStatus.RUNNING),
    ]


def test_what_all_replicas_say_is_added_up() -> None:
    found = seen("org--a", work(counted("org--a#0", 3, 1, 2.0), counted("org--a#1", 4, 0, 9.0)))
    assert found.load == Load(1, 7, 0.0, False, 1)
    assert found.untold is None
    assert [one.work and one.work.requests for one in found.deployments[0].replicas] == [3, 4]


@pytest.mark.parametrize(
    ("first", "second", "idle"),
    [
        (2.0, 9.0, (2.0, False)),
        (None, 9.0, (9.0, False)),
        (None, None, (100.0, True)),
        (100.0, None, (100.0, False)),
    ],
)
def test_how_long_nobody_asked(first: float | None, second: float | None, idle: tuple[float, bool]) -> None:
    load = seen("org--a", work(counted("org--a#0", last_s=first), counted("org--a#1", last_s=second))).load
    assert load is not None
    assert (load.idle_s, load.idle_for_longer) == idle


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (UnknownWork("it is down"), "it is down"),
        (Work({}), "the gateway does not know it"),
        (Work({"org--a": UnknownWork("too late")}), "too late"),
        (work(counted("org--a#0")), "not every replica answered"),
        (work(counted("org--a#0"), counted("somebody")), "not every replica answered"),
    ],
)
def test_what_some_replica_does_not_say_is_not_known(said: Work | UnknownWork, why: str) -> None:
    found = seen("org--a", said)
    assert (found.load, found.untold) == (None, why)
    assert all(one.work is None for one in found.deployments[0].replicas)


def test_replicas_that_do_not_say_who_they_are_count_all_the_same() -> None:
    found = seen("org--a", work(counted(None, 3), counted(None, 4)))
    assert found.load is not None
    assert found.load.requests == 7
    assert [one.work for one in found.deployments[0].replicas] == [None, None]
    alone = changed(live_application(next(one for one in LIVE.applications if one.name == "org--a").application.config))  # type: ignore[union-attr]
    [replica] = seen("org--a", work(counted(None, 3)), alone).deployments[0].replicas
    assert replica.work == counted(None, 3)


def test_a_replica_on_its_way_is_not_asked() -> None:
    there = LIVE.application("org--a")
    assert there is not None
    [deployment] = there.deployments
    first, second = deployment.replicas
    starting = replace(deployment, replicas=(first, replace(second, state="STARTING")))
    found = seen("org--a", work(counted("org--a#0")), changed(replace(there, deployments=(starting,))))
    assert found.load is not None
    assert (found.running, found.target) == (1, 2)


def test_nobody_counts_for_the_gateway_for_others_and_where_nothing_runs() -> None:
    said = UnknownWork("it is down")
    assert seen("gateway", said).untold is None
    assert seen("theirs", said).untold is None
    there = LIVE.application("org--a")
    assert there is not None
    nothing = tuple(replace(one, replicas=()) for one in there.deployments)
    found = seen("org--a", said, changed(replace(there, deployments=nothing)))
    assert (found.load, found.untold) == (None, "no replica runs")


def test_how_many_requests_fit_and_who_spreads_them() -> None:
    there = LIVE.application("org--a")
    assert there is not None
    options = {"max_ongoing_requests": 8, "request_router_config": {"request_router_class": "a.b:SomeRequestRouter"}}
    told = tuple(replace(one, options=options) for one in there.deployments)
    found = seen("org--a", Work({}), changed(replace(there, deployments=told)))
    assert (found.capacity, found.deployments[0].router) == (16, "SomeRequestRouter")
    assert (seen("org--a", Work({})).capacity, seen("org--a", Work({})).deployments[0].router) == (None, None)


def test_json_is_the_published_form() -> None:
    said = work(counted("org--a#0", 3, 1, None), counted("org--a#1"))
    for report in (observe(STATE, LIVE, said, TIME), observe(STATE, live(foreign()), UnknownWork("down"), TIME)):
        document = json.loads(json.dumps(status_json(report, None, {"held": False})))
        jsonschema.Draft202012Validator(status_schema()).validate(document)
    replica = status_json(observe(STATE, LIVE, said, TIME), None, None)["applications"][1]["deployments"][0][
        "replicas"
    ][0]
    assert replica["work"] == {"requests": 3, "ongoing": 1, "free": None, "last_s": None, "watched_s": 100}

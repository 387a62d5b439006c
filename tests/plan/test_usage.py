from typing import Any

from reconciler.plan.build import PlanOptions, build_plan
from reconciler.plan.plan import Plan
from reconciler.plan.usage import Usage, deletes
from reconciler.registry.registry import ModelEntry
from reconciler.state.live import ApplicationStatus
from reconciler.state.traffic import ModelTraffic, Traffic, UnknownTraffic
from tests.support.states import ADDRESS, SOURCE, deployed, desired, foreign, live_application, model

A, B, C, D = (model(f"org/{letter}") for letter in "abcd")
HOURS = 3600.0


def used(watched_s: float = 5 * HOURS, **last_s: float) -> Traffic:
    """A gateway that counted requests for models of these letters, the latest so many seconds ago."""
    return Traffic(watched_s, {f"org/{letter}": ModelTraffic(1204, seconds) for letter, seconds in last_s.items()})


def planned(usage: Usage, *models: ModelEntry, before: tuple[ModelEntry, ...] = (A, B, C, D), **allowed: bool) -> Plan:
    """From four models to these."""
    return build_plan(
        desired(*models),
        deployed(desired(*before)),
        address=ADDRESS,
        source=SOURCE,
        options=PlanOptions(**allowed),
        usage=usage,
    )


def held(found: Plan) -> dict[str, str]:
    return {hold.action.name: hold.guard for hold in found.holds}


def test_a_model_that_still_gets_requests_is_not_deleted() -> None:
    found = planned(used(d=12), A, B, C)
    assert held(found) == {"org--d": "still-in-use"}
    [hold] = found.holds
    assert hold.reason == (
        "`org/d` still gets requests: 1204 in the 5 h that the gateway has counted, the latest 12 s ago"
    )
    assert "`--allow-delete`" in hold.release
    assert found.warnings == ()
    assert found.waves == ()
    assert held(planned(used(d=12), A, B, C, allow_delete=True)) == {}


def test_an_hour_without_a_request_lets_it_go() -> None:
    assert held(planned(used(d=HOURS - 1), A, B, C)) == {"org--d": "still-in-use"}
    found = planned(used(d=HOURS, a=1), A, B, C)
    assert (held(found), found.warnings) == ({}, ())


def test_a_gateway_that_counts_no_request_is_believed_after_an_hour() -> None:
    assert planned(used(), A, B, C).warnings == ()
    found = planned(used(watched_s=240), A, B, C)
    assert held(found) == {}
    assert found.warnings == ("`org/d` had no request since the gateway began to count, which is only 4 min ago",)


def test_traffic_that_nobody_knows_is_never_taken_for_none() -> None:
    unknown = UnknownTraffic("the gateway cannot be reached from here")
    found = planned(unknown, A, B, C)
    assert held(found) == {}
    assert found.warnings == (
        "whether `org/d` still get requests is not known: the gateway cannot be reached from here",
    )
    many = [model(f"org/m{number:02}") for number in range(30)]
    found = planned(unknown, *many[7:], before=tuple(many))
    assert "`org/m04` and 2 others still get requests" in found.warnings[0]
    # Where something else holds the delete, or nobody had to ask, there is nothing to say.
    assert planned(unknown, before=(A, B)).warnings == ()
    assert planned(None, A, B, C).warnings == ()


def test_a_model_whose_names_another_one_takes_over_leaves_nobody_behind() -> None:
    old = model("org/d", engine={"aliases": ["chat"]})
    heir = model("org/c", engine={"aliases": ["org/d", "chat"]})
    assert held(planned(used(d=1), A, B, heir, before=(A, B, C, old))) == {}
    poorer = model("org/c", engine={"aliases": ["org/d"]})
    assert held(planned(used(d=1), A, B, poorer, before=(A, B, C, old))) == {"org--d": "still-in-use"}


def test_a_route_that_somebody_spoiled_has_no_aliases() -> None:
    odd: Any = model("org/d")
    report = deployed(desired(A, B, C, odd))
    gateway = report.applications[0].application
    assert gateway is not None
    gateway.deployments["Gateway"]["user_config"]["models"]["org/d"]["aliases"] = "chat"
    found = build_plan(desired(A, B, C), report, address=ADDRESS, source=SOURCE, options=PlanOptions(), usage=used(d=1))
    assert held(found) == {"org--d": "still-in-use"}


def test_it_matters_only_where_something_of_ours_would_go() -> None:
    state = desired(A, B)
    assert not deletes(state, deployed(state, foreign()))
    assert deletes(desired(A), deployed(state))
    going = live_application(B_CONFIG, status=ApplicationStatus.DELETING)
    assert not deletes(desired(A), deployed(desired(A), going))


B_CONFIG = desired(B).applications[1].application.config

from dataclasses import replace

from reconciler.plan.match import match
from reconciler.plan.plan import ActionKind
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus
from tests.support.states import deployed, desired, foreign, live, model


def test_everything_is_paired_once() -> None:
    report = deployed(desired(model("org/a"), model("org/b"), model("org/c")), foreign())
    found = match(desired(model("org/a"), model("org/b", engine={"max_total_tokens": 9}), model("org/d")), report)
    assert [(candidate.kind, candidate.name) for candidate in found.candidates] == [
        (ActionKind.UPDATE, "gateway"),
        (ActionKind.UPDATE, "org--b"),
        (ActionKind.DELETE, "org--c"),
        (ActionKind.CREATE, "org--d"),
    ]
    assert [entry.name for entry in found.unchanged] == ["org--a"]
    assert {entry.name for entry in found.owned} == {"gateway", "org--a", "org--b", "org--c"}
    assert found.unmanaged == ("theirs",)


def test_what_ray_is_deleting_counts_as_gone() -> None:
    state = desired(model("org/a"))
    report = deployed(state)
    going = replace(report.applications[1], status=ApplicationStatus.DELETING, application=None)
    candidates = match(state, replace(report, applications=(report.applications[0], going))).candidates
    assert [(candidate.kind, candidate.live) for candidate in candidates] == [(ActionKind.CREATE, None)]
    assert match(desired(), live(going)).unmanaged == ()


def test_an_application_with_our_mark_that_a_program_deployed_is_not_ours() -> None:
    report = deployed(desired(model("org/a")))
    program = replace(report.applications[1], declarative=False)
    assert match(desired(), replace(report, applications=(program,))).unmanaged == ("org--a",)


def test_a_logging_config_of_the_whole_cluster_is_no_difference() -> None:
    logging = {"log_level": "DEBUG"}
    state = desired(model("org/a"))
    report = deployed(state, logging=logging)
    copied = tuple(
        replace(
            entry,
            application=Application({**entry.application.config, "logging_config": logging}),
        )
        for entry in report.applications
        if entry.application
    )
    assert match(state, replace(report, applications=copied)).candidates == ()

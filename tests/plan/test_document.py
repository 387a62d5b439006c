from dataclasses import replace

from reconciler.plan.document import document, live_configs
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus
from tests.support.states import deployed, desired, foreign, live, model, plan


def test_the_options_of_the_cluster_are_repeated_and_applications_sorted() -> None:
    options = {"proxy_location": "HeadOnly", "target_capacity": 50}
    report = live(foreign("z"), foreign("a"), options=options)
    body = document(report, live_configs(report))
    assert list(body) == ["proxy_location", "target_capacity", "applications"]
    assert [entry["name"] for entry in body["applications"]] == ["a", "z"]


def test_neither_what_is_going_nor_what_a_program_deployed_is_in_it() -> None:
    going = replace(foreign("going"), status=ApplicationStatus.DELETING)
    program = replace(foreign("program"), declarative=False)
    unknown = replace(foreign("unknown"), application=None)
    assert live_configs(live(going, program, unknown, foreign("kept"))).keys() == {"kept"}


def test_what_does_not_change_is_copied_word_for_word() -> None:
    state = desired(model("org/a"), model("org/b"))
    report = deployed(state, foreign(args={"n": 1.0}))
    # The same in other words: the route is left out and a number is written as a float.
    config = {key: value for key, value in state.applications[1].application.config.items() if key != "route_prefix"}
    config["deployments"] = [{**config["deployments"][0], "max_ongoing_requests": 64.0}]
    odd = replace(report.applications[1], application=Application(config))
    odd_report = replace(report, applications=(report.applications[0], odd, *report.applications[2:]))
    found = plan(desired(model("org/a"), model("org/b", engine={"max_total_tokens": 9})), odd_report)
    written = {entry["name"]: entry for entry in found.waves[0].document["applications"]}
    assert written["org--a"] is config
    assert written["theirs"]["args"] == {"n": 1.0}
    assert isinstance(written["theirs"]["args"]["n"], float)


def test_a_delete_leaves_the_application_out() -> None:
    found = plan(desired(model("org/a")), deployed(desired(model("org/a"), model("org/b"))))
    assert [entry["name"] for entry in found.waves[0].document["applications"]] == ["gateway", "org--a"]


def test_options_of_a_rollout_are_only_in_what_restarts() -> None:
    report = deployed(desired(model("org/a"), model("org/b")))
    found = plan(
        desired(model("org/a", engine={"max_total_tokens": 9}), model("org/b", deployment={"max_ongoing_requests": 9})),
        report,
    )
    options = {entry["name"]: entry["deployments"][0] for entry in found.waves[0].document["applications"]}
    assert options["org--a"]["max_surge_percent"] == 100
    assert "max_surge_percent" not in options["org--b"]
    assert "max_surge_percent" not in options["gateway"]

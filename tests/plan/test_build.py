from dataclasses import replace
from typing import Any

import pytest

from reconciler.plan.build import PlanOptions, PlanRefused, build_plan, source_digest
from reconciler.plan.change import Impact
from reconciler.plan.plan import ActionKind
from reconciler.registry.choices import RolloutStrategy
from reconciler.registry.registry import Registry
from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication, UnknownState
from reconciler.state.runtime_packages import RuntimePackages
from tests.support.states import (
    ADDRESS,
    CLUSTER,
    PACKAGES,
    SOURCE,
    deployed,
    desired,
    foreign,
    gpu_nodes,
    in_use,
    live,
    live_application,
    model,
    plan,
    registry,
    replicas,
)


def test_nothing_is_planned_from_an_unknown_state() -> None:
    with pytest.raises(PlanRefused) as refusal:
        build_plan(
            desired(),
            UnknownState("the answer was empty", "try again"),
            address="",
            source=SOURCE,
            options=PlanOptions(),
        )
    assert (refusal.value.reason, refusal.value.hint) == ("the answer was empty", "try again")


def test_a_new_cluster_gets_the_gateway_and_every_model_in_one_wave() -> None:
    found = plan(desired(model("org/a"), model("org/b", deployment=replicas(2))), live(foreign()))
    (wave,) = found.waves
    assert [(action.kind, action.name, action.model_id) for action in wave.actions] == [
        (ActionKind.CREATE, "gateway", None),
        (ActionKind.CREATE, "org--a", "org/a"),
        (ActionKind.CREATE, "org--b", "org/b"),
    ]
    assert wave.actions[2].replicas_after == 2
    assert wave.actions[0].position is None
    assert str(wave.actions[1].position) == "registry/org--a.yaml:3:1"
    assert wave.actions[1].reason == "wanted by the registry and not on the cluster"
    assert found.unmanaged == ("theirs",)
    assert found.has_changes
    assert (found.cluster, found.address, found.source) == ("gpus", ADDRESS, SOURCE)


def test_a_cluster_that_is_as_it_should_be_needs_nothing() -> None:
    state = desired(model("org/a"))
    found = plan(state, deployed(state, foreign()))
    assert not found.has_changes
    assert found.warnings == ()


def test_an_update_says_which_field_decides() -> None:
    report = deployed(desired(model("org/a")))
    after = desired(model("org/a", engine={"max_total_tokens": 9}, deployment={"max_ongoing_requests": 2}))
    (action,) = plan(after, report).actions
    assert action.impact is Impact.ROLLING_RESTART
    assert action.reason == (
        "`args.llm_config.engine_kwargs.max_model_len`: part of the application's code version (and 1 more)"
    )


def test_a_delete_remembers_the_model() -> None:
    found = plan(desired(), deployed(desired(model("org/a", rollout={"timeout_s": 5}))))
    (_, delete) = found.actions
    assert (delete.kind, delete.model_id, delete.bundles, delete.position) == (ActionKind.DELETE, "org/a", None, None)
    assert (delete.replicas_before, delete.replicas_after, delete.timeout_s) == (1, 0, 1200)
    assert delete.reason == "ours on the cluster and no longer wanted by the registry"


def poison(name: str, **changes: Any) -> LiveApplication:
    """An application of somebody else whose stored config Ray cannot build."""
    return foreign(name, runtime_env={"env_vars": {"B": 1, "A": None, "C": "text"}}, **changes)


def test_nothing_is_sent_together_with_a_config_that_ray_refuses() -> None:
    with pytest.raises(PlanRefused) as refusal:
        plan(desired(model("org/a")), live(poison("theirs")))
    assert refusal.value.reason == (
        "the stored config of `theirs` has environment variables that are not text: `A`, `B`; Ray refuses every "
        "document that holds it"
    )
    assert "`reconcile repair`" in refusal.value.hint


def test_where_nothing_is_sent_such_a_config_is_left_alone() -> None:
    state = desired(model("org/a"))
    assert not plan(state, deployed(state, poison("theirs"))).has_changes


def test_a_poisoned_config_of_ours_is_mended_by_the_plan() -> None:
    state = desired(model("org/a"))
    report = deployed(state)
    ours = report.applications[1]
    assert ours.application is not None
    spoilt = Application({**ours.application.config, "runtime_env": {"env_vars": {"FLAG": False}}})
    found = plan(state, replace(report, applications=(report.applications[0], replace(ours, application=spoilt))))
    assert [action.name for action in found.actions] == ["org--a"]


@pytest.mark.parametrize("runtime_env", [None, "x", {}, {"env_vars": None}, {"env_vars": {"A": "a"}}])
def test_other_configs_are_sent(runtime_env: Any) -> None:
    assert plan(desired(model("org/a")), live(foreign(runtime_env=runtime_env))).has_changes


def test_the_time_limit_is_the_model_s() -> None:
    assert plan(desired(model("org/a", rollout={"timeout_s": 5})), live()).actions[1].timeout_s == 5


def test_a_gateway_beside_a_held_create_says_nothing_when_only_that_would_change() -> None:
    report = deployed(desired(model("org/a")), nodes=in_use(gpu_nodes(1, 1), GPU=1, CPU=4))
    found = plan(desired(model("org/a"), model("org/b")), report)
    assert found.waves == ()
    assert [hold.action.name for hold in found.holds] == ["org--b"]
    assert found.has_changes


def test_a_held_gateway_stays_as_it_is() -> None:
    found = plan(desired(model("org/a")), live(foreign("shop", route_prefix="/"), foreign("org--a")))
    assert [hold.action.name for hold in found.holds] == ["gateway", "org--a"]
    assert found.waves == ()


def test_another_ray_is_planned_with_the_worst_and_a_warning() -> None:
    report = deployed(desired(model("org/a")), version="2.61.0", nodes=gpu_nodes(1))
    found = plan(desired(model("org/a", deployment={"max_ongoing_requests": 2})), report)
    (action,) = found.actions
    assert action.impact is Impact.ROLLING_RESTART
    assert action.rollout is not None
    assert action.rollout.strategy is RolloutStrategy.SURGE
    assert found.warnings == (
        "the cluster runs Ray 2.61.0; what a change restarts is proven for Ray 2.60, so every update is expected to "
        "restart its replicas",
    )


@pytest.mark.parametrize(
    ("status", "message", "warning"),
    [
        (
            ApplicationStatus.UNHEALTHY,
            "\n  no answer\nmore",
            "`org--a` is as the registry says but unhealthy (no answer); a plan cannot mend it",
        ),
        (
            ApplicationStatus.DEPLOYING,
            "",
            "`org--a` is as the registry says and still DEPLOYING; apply waits for it",
        ),
    ],
)
def test_an_unsettled_application_without_a_difference_is_a_warning(
    status: ApplicationStatus, message: str, warning: str
) -> None:
    state = desired(model("org/a"))
    report = deployed(state)
    unsettled = replace(report.applications[1], status=status, message=message)
    found = plan(state, replace(report, applications=(report.applications[0], unsettled)))
    assert found.warnings == (warning,)
    assert not found.has_changes


def test_a_failed_application_that_changes_may_keep_its_replicas() -> None:
    report = deployed(desired(model("org/a")))
    failed = replace(report.applications[1], status=ApplicationStatus.DEPLOY_FAILED)
    found = plan(
        desired(model("org/a", engine={"max_total_tokens": 9})),
        replace(report, applications=(report.applications[0], failed)),
    )
    (warning,) = found.warnings
    assert warning.startswith("the config of `org--a` that is live failed to deploy; replicas of an earlier one may")


def test_autoscaling_beyond_the_cluster_is_a_warning() -> None:
    models = [model(f"org/{name}", deployment=replicas(1, high)) for name, high in (("a", 9), ("b", 9), ("c", 8))]
    found = plan(desired(*models), live(nodes=gpu_nodes(1)))
    assert found.warnings == (
        "`org--a` may scale to 9 replicas; the empty cluster holds 8",
        "`org--b` may scale to 9 replicas; the empty cluster holds 8",
    )


def test_the_digest_of_the_source_is_of_meaning_not_of_files() -> None:
    a, b = model("org/a"), model("org/b")
    first = source_digest(registry(a, b), CLUSTER, PACKAGES)
    assert source_digest(registry(b, replace(a, file="elsewhere.yaml", positions={})), CLUSTER, PACKAGES) == first
    assert source_digest(registry(a, b, model("org/c", enabled=False)), CLUSTER, PACKAGES) == first
    assert source_digest(registry(a), CLUSTER, PACKAGES) != first
    assert source_digest(registry(a, b), CLUSTER, RuntimePackages("gcs://new.zip", None)) != first
    assert source_digest(registry(a, model("org/b", engine={"max_total_tokens": 9})), CLUSTER, PACKAGES) != first
    renamed = replace(CLUSTER, name="other")
    assert source_digest(Registry((a, b), (renamed,)), renamed, PACKAGES) != first


def scaled(count: int, **scaling: int) -> tuple[str, ...]:
    """The warnings of a change in place of a model that runs `count` replicas of one to four."""
    before = model("org/a", deployment=replicas(1, 4))
    report = live(
        *(
            live_application(entry.application.config, count=count if entry.model else 1)
            for entry in desired(before).applications
        )
    )
    after = model("org/a", deployment={"autoscaling_config": {"min_replicas": 1, "max_replicas": 4, **scaling}})
    return plan(desired(after), report).warnings


def test_a_change_that_would_reset_what_the_autoscaler_chose_is_a_warning() -> None:
    assert scaled(3, initial_replicas=1) == (
        "the change sets `org--a` from 3 replicas back to its `initial_replicas`, 1; without that key in the file the "
        "count stays as it is",
    )
    assert scaled(1, initial_replicas=1) == ()
    assert scaled(3, max_replicas=2) == ("`org--a` runs 3 replicas now; its new `max_replicas` stops 1",)
    assert scaled(3, max_replicas=3) == ()
    assert scaled(1, min_replicas=3) == ()

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jsonschema
import pytest

from reconciler.plan.file import PlanFileError, dump, load, options_of, why_stale
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan, Source
from reconciler.plan.schema import plan_schema
from tests.support.states import SOURCE, deployed, desired, foreign, gpu_nodes, in_use, live, model, plan, replicas

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def made(**allowed: Any) -> Plan:
    return plan(desired(model("org/a")), live(), **allowed)


def stale(saved: Plan, current: Plan, now: datetime = NOW) -> tuple[str, ...]:
    return why_stale(load(dump(saved, created=NOW, lifetime=DAY)), current, now)


def edited(**changes: Any) -> str:
    return json.dumps({**json.loads(dump(made(), created=NOW, lifetime=DAY)), **changes})


def test_a_saved_plan_is_read_again() -> None:
    text = dump(made(allow_delete=True), created=NOW.astimezone(timezone(timedelta(hours=2))), lifetime=DAY)
    saved = load(text)
    assert (saved.created, saved.expires) == (NOW, NOW + DAY)
    assert saved.options == PlanOptions(allow_delete=True)
    assert saved.cluster == "gpus"
    assert text.endswith("}\n")


def test_a_plan_file_fits_the_schema_of_plans() -> None:
    jsonschema.Draft202012Validator(plan_schema()).validate(json.loads(edited()))


def test_an_unchanged_world_makes_no_plan_stale() -> None:
    assert stale(made(), made()) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plan:", "it is not JSON"),
        ("[]", "no `format_version`"),
        ("{}", "no `format_version`"),
        ('{"format_version": 1}', "no `format_version`"),
        ('{"format_version": "2.0"}', "has format version 2.0; this version reads 1.1"),
        ('{"format_version": "1.7"}', "printed, not saved"),
        (edited(cluster="other"), "was edited"),
        (edited(expires="2999-01-01T00:00:00+00:00"), "was edited"),
        (edited(options={"allow_delete": True}), "was edited"),
    ],
)
def test_what_is_no_plan_file_is_refused_with_a_hint(text: str, message: str) -> None:
    with pytest.raises(PlanFileError) as error:
        load(text)
    assert message in error.value.message
    assert "reconcile plan --out" in error.value.hint


def test_an_expired_plan_is_stale() -> None:
    assert stale(made(), made(), NOW + DAY) == ("it expired at 2030-01-03 03:04 UTC",)
    assert stale(made(), made(), NOW + DAY - timedelta(seconds=1)) == ()


def test_a_plan_for_another_cluster_is_stale() -> None:
    assert stale(made(), replace(made(), cluster="other")) == ("it was made for the cluster `gpus`, not `other`",)
    assert stale(made(), replace(made(), address="http://new:8265")) == (
        "the cluster's address was http://ray:8265 and is http://new:8265 now",
    )


def test_another_ray_makes_it_stale() -> None:
    assert stale(made(), replace(made(), ray_version="2.60.1")) == ("the cluster ran Ray 2.60.0 and runs 2.60.1 now",)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            replace(SOURCE, commit="e" * 40, tree="f" * 40),
            "the registry was at commit cccccccccccc (tree tttttttttttt) and is at commit eeeeeeeeeeee (tree "
            "ffffffffffff) now",
        ),
        (
            Source(None, None, False, SOURCE.digest),
            "the registry was at commit cccccccccccc (tree tttttttttttt) and is at no commit now",
        ),
        (replace(SOURCE, digest="e" * 64), "what the registry says about this cluster has changed since"),
        (
            replace(SOURCE, dirty=True),
            "the registry has uncommitted changes that it did not have, or the other way round",
        ),
    ],
)
def test_another_registry_makes_it_stale(source: Source, reason: str) -> None:
    assert stale(made(), replace(made(), source=source)) == (reason,)


def test_a_merge_of_the_reviewed_files_does_not() -> None:
    assert stale(made(), replace(made(), source=replace(SOURCE, commit="e" * 40))) == ()
    outside = replace(made(), source=replace(SOURCE, tree=None))
    assert stale(outside, replace(outside, source=replace(SOURCE, tree=None, commit="e" * 40))) != ()


def test_it_says_which_applications_would_be_treated_otherwise() -> None:
    state = desired(model("org/a"))
    crowded = live(nodes=in_use(gpu_nodes(1), GPU=8))
    assert stale(made(), plan(state, crowded))[-1] == (
        "`org--a`: the plan says create (wave 1); it would say create (held by does-not-fit-now) now"
    )
    assert stale(made(), plan(state, deployed(state))) == (
        "`gateway`: the plan says create (wave 1); it would say nothing to do now",
        "`org--a`: the plan says create (wave 1); it would say nothing to do now",
    )


def test_the_same_kind_of_change_with_other_values_is_stale_too() -> None:
    before, other = (deployed(desired(model("org/a", deployment=replicas(1, high)))) for high in (2, 3))
    after = desired(model("org/a", deployment=replicas(1, 4)))
    assert stale(plan(after, before), plan(after, other)) == (
        "`org--a`: the plan says update, in place (wave 1), which would change other fields or values now",
    )


def test_a_change_that_the_plan_does_not_touch_makes_it_stale_too() -> None:
    state = desired(model("org/a"))
    assert stale(plan(state, live(foreign(args={"x": 1}))), plan(state, live(foreign(args={"x": 2})))) == (
        "somebody changed an application on the cluster, or its Serve options, that the plan does not touch",
    )


def test_resources_and_autoscaled_counts_make_no_plan_stale() -> None:
    before = desired(model("org/a", deployment=replicas(1, 3)))
    after = desired(model("org/a", deployment=replicas(1, 3), engine={"generation": {"generate_kwargs": {"n": 1}}}))
    report = deployed(before)
    assert stale(plan(after, report), plan(after, replace(report, nodes=in_use(gpu_nodes(1), GPU=4)))) == ()
    assert stale(made(), plan(desired(model("org/a")), live(nodes=in_use(gpu_nodes(1), GPU=4)))) == ()


def test_another_way_to_replace_replicas_makes_it_stale() -> None:
    report = deployed(desired(model("org/a")), nodes=in_use(gpu_nodes(1, 2), GPU=1, CPU=3))
    after = desired(
        model("org/a", engine={"max_total_tokens": 9}, rollout={"strategy": "rolling", "max_unavailable": 1})
    )
    crowded = replace(report, nodes=in_use(gpu_nodes(1, 2), GPU=2, CPU=3))
    assert stale(plan(after, report), plan(after, crowded)) == (
        "`org--a`: the plan says update, rolling restart (wave 1), which would change other fields or values now",
    )


def test_a_selection_is_stale_by_its_own_registry_alone() -> None:
    state = desired(model("org/a"), model("org/b"))
    chosen = plan(state, live(), models=("org/a",))
    assert stale(chosen, replace(chosen, source=replace(SOURCE, commit="e" * 40, tree="e" * 40, dirty=True))) == ()
    assert stale(chosen, replace(chosen, source=replace(SOURCE, digest="e" * 64))) == (
        "what the registry says about this cluster or the chosen models has changed since",
    )


def test_the_models_are_part_of_a_saved_plan() -> None:
    chosen = plan(desired(model("org/a"), model("org/b")), live(), models=("org/a", "org/b*"))
    assert load(dump(chosen, created=NOW, lifetime=DAY)).options == PlanOptions(models=("org/a", "org/b*"))


def test_options_of_a_later_minor_version_are_left_out() -> None:
    assert options_of({"allow_delete": True, "allow_everything": True}) == PlanOptions(allow_delete=True)

"""The comment on a pull request: what stands open, what is folded, what is cut, and what nobody can forge."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.change import Impact
from reconciler.plan.plan import Action, ActionKind, Hold, Plan, Rollout
from reconciler.registry.choices import RolloutStrategy
from reconciler.views.plan_comment import Review, comment_mark, plan_comment, verdict
from tests.support import samples
from tests.support.golden import assert_golden

LIMIT = 65_536
OUTAGE = Rollout(RolloutStrategy.RECREATE, 0, True, "downtime expected (all replicas stop before the new ones start)")
ALL = Review(None, until="2026-05-02 12:00 UTC")


def delete(name: str) -> Action:
    return samples.action(ActionKind.DELETE, name, Impact.DELETE, bundles=None, replicas=(2, 0))


def restart(name: str, value: Any = 64, rollout: Rollout = samples.SURGE) -> Action:
    field = samples.field(samples.ENGINE, 32, value, Impact.ROLLING_RESTART, "part of the application's code version")
    return samples.action(ActionKind.UPDATE, name, Impact.ROLLING_RESTART, field, rollout=rollout)


def create(name: str) -> Action:
    bundles = samples.big_bundles()
    return samples.action(ActionKind.CREATE, name, Impact.CREATE, bundles=bundles, replicas=(0, 2))


def tune(name: str) -> Action:
    field = samples.field("deployments[X].max_ongoing_requests", 3, 64, Impact.IN_PLACE)
    return samples.action(ActionKind.UPDATE, name, Impact.IN_PLACE, field)


def held(action: Action) -> Hold:
    return Hold(action, "protected", f"`{action.name}` is protected", "apply `rollout.protect: false` first")


MANY_KINDS = samples.plan(
    restart("acme--chat"),
    restart("acme--slow", rollout=OUTAGE),
    create("acme--new"),
    delete("acme--old"),
    tune("gateway"),
    tune("other--tuned"),
    delete("other--gone"),
    holds=(held(restart("acme--guarded")), held(delete("other--guarded"))),
    warnings=("Ray 2.61.0 is not the version these rules are proven for",),
)
MINE = frozenset({"acme--chat", "acme--slow", "acme--new", "acme--old", "acme--guarded", "gateway"})


@pytest.mark.parametrize(
    ("name", "plan", "review"),
    [
        ("mixed", MANY_KINDS, Review(MINE, until="2026-05-02 12:00 UTC")),
        ("all", MANY_KINDS, ALL),
        ("nothing", samples.plan(), ALL),
        ("elsewhere", samples.plan(tune("a"), as_of="2026-05-01T12:00:00+00:00"), Review(frozenset())),
    ],
)
def test_a_comment(name: str, plan: Plan, review: Review) -> None:
    [body] = plan_comment(plan, review, LIMIT)
    assert body.startswith(comment_mark("local") + "\n")
    assert_golden(f"views/comment/{name}.md", body)


def test_the_verdict_names_the_worst() -> None:
    assert verdict(samples.plan(tune("a"))).startswith("✅ No replica restarts")
    assert verdict(samples.plan(restart("a"))).startswith("🔁 1 restart, no downtime expected")
    assert "1 model without service" in verdict(samples.plan(restart("a", rollout=OUTAGE)))
    assert verdict(samples.plan(delete("a"), delete("b"))).startswith("⚠️ 2 models deleted")
    assert verdict(MANY_KINDS).startswith("🛑 2 changes held")


def test_a_long_plan_loses_details_before_rows_and_rows_before_deletes() -> None:
    plan = samples.plan(
        *(restart(f"acme--model-{number:04}", "x" * 60) for number in range(2000)),
        *(delete(f"acme--doomed-{number:04}") for number in range(30)),
    )
    [body] = plan_comment(plan, ALL, LIMIT)
    assert len(body.encode()) <= LIMIT
    assert "<details>" not in body
    assert re.search(r"and \d+ more \|", body)
    assert all(f"acme/doomed-{number:04}`" in body for number in range(30))


def test_deletes_that_do_not_fit_go_on_in_further_comments() -> None:
    plan = samples.plan(*(delete(f"acme--{'very-' * 20}doomed-{number:04}") for number in range(1500)))
    bodies = plan_comment(plan, ALL, LIMIT)
    assert len(bodies) > 1
    assert all(len(body.encode()) <= LIMIT and body.startswith(comment_mark("local")) for body in bodies)
    told = re.findall(r"doomed-(\d{4})`", "\n".join(bodies))
    assert sorted(told) == [f"{number:04}" for number in range(1500)]


def test_held_deletes_and_those_of_others_are_never_left_out_either() -> None:
    plan = samples.plan(
        *(delete(f"other--gone-{number:04}") for number in range(800)),
        holds=tuple(held(delete(f"acme--{'long-' * 20}{number:04}")) for number in range(400)),
    )
    bodies = plan_comment(plan, Review(frozenset(hold.action.name for hold in plan.holds)), 20_000)
    text = "\n".join(bodies)
    assert all(f"other/gone-{number:04}`" in text for number in range(800))
    assert all(f"long-{number:04}`" in text for number in range(400))


FORGERY = (
    "<!-- reconcile plan local -->\n### ✅ All is well\n@everyone </details><script>x</script> [a](http://b) #1 | x `y"
)


def test_what_people_wrote_cannot_forge_anything() -> None:
    name = "acme--" + FORGERY
    action = samples.action(
        ActionKind.UPDATE,
        name,
        Impact.ROLLING_RESTART,
        samples.field("args." + FORGERY, FORGERY, FORGERY + "2", Impact.ROLLING_RESTART, FORGERY),
        rollout=samples.SURGE,
        reason=FORGERY,
    )
    plan = samples.plan(action, holds=(Hold(action, FORGERY, FORGERY, FORGERY),), warnings=(FORGERY,), as_of=FORGERY)
    [body] = plan_comment(plan, ALL, LIMIT)
    assert body.count("\n### ") == 1
    outside = re.sub(r"(`+)(?:(?!\1).)+?\1", "", body)
    assert outside.count("<!--") == 1
    assert "<script" not in outside
    assert not re.search(r"@\w", outside)
    assert outside.count("<details>") == outside.count("</details>")


@given(st.text(), st.text())
def test_no_text_makes_a_line_of_its_own(text: str, other: str) -> None:
    plain, forged = (
        plan_comment(samples.plan(restart("a", value), holds=(Hold(restart("b"), "g", reason, "r"),)), ALL, LIMIT)[0]
        for value, reason in (("x", "y"), (text, other))
    )
    assert plain.count("\n") == forged.count("\n")


@given(st.integers(0, 60), st.integers(0, 60), st.integers(600, 8000))
def test_every_comment_fits_and_tells_every_delete(deletes: int, restarts: int, limit: int) -> None:
    plan = samples.plan(
        *(delete(f"d--{number}") for number in range(deletes)), *(restart(f"r--{number}") for number in range(restarts))
    )
    bodies = plan_comment(plan, ALL, limit)
    assert all(len(body.encode()) <= limit for body in bodies)
    told = set(re.findall(r"`d/(\d+)`", "\n".join(bodies)))
    assert told == {str(number) for number in range(deletes)}

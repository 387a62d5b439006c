import pytest

from reconciler.plan.change import Impact
from reconciler.plan.plan import ActionKind, Plan, Rollout, Source
from reconciler.registry.choices import RolloutStrategy
from reconciler.views import plan_words
from reconciler.views.plan_markdown import plan_markdown
from reconciler.views.plan_text import plan_text
from reconciler.views.style import Style
from tests.support import samples
from tests.support.golden import assert_golden

PLANS = {
    "first": samples.first_plan(),
    "mixed": samples.mixed_plan(),
    "costly": samples.costly_plan(),
    "nothing": samples.plan(),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_text_of_a_plan(name: str) -> None:
    assert_golden(f"views/plan/{name}.txt", plan_text(PLANS[name]))


@pytest.mark.parametrize("name", PLANS)
def test_the_markdown_of_a_plan(name: str) -> None:
    assert_golden(f"views/plan/{name}.md", plan_markdown(PLANS[name]))


@pytest.mark.parametrize("name", PLANS)
def test_colour_adds_nothing_to_the_words(name: str) -> None:
    import re

    coloured = plan_text(PLANS[name], Style(colour=True))
    assert "\033[" in coloured
    assert re.sub("\033\\[[0-9]*m", "", coloured) == plan_text(PLANS[name])


def test_a_user_cannot_break_out_of_the_markdown() -> None:
    evil = "`x` | <img src=x onerror=alert(1)> @octocat #1\n# heading ``y"
    change = samples.field("args.x", evil, evil, Impact.IN_PLACE, evil)
    text = plan_markdown(
        samples.plan(
            samples.action(ActionKind.UPDATE, evil, Impact.IN_PLACE, change, reason=evil),
            unmanaged=(evil,),
            cluster=evil,
            warnings=(evil,),
        )
    )
    outside = _outside_code(text)
    assert "<img" not in outside
    assert "@octocat" not in outside
    assert "#1" not in outside
    assert "\n# heading" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {_cells(row) for row in rows} == {4}


def _outside_code(text: str) -> str:
    """The text without its code spans, read as GitHub does: a run of backticks up to the next equal run."""
    import re

    return re.sub(r"(?<![`\\])(`+)(?!`)(.*?)(?<!`)\1(?!`)", "", text)


def _cells(row: str) -> int:
    import re

    return len(re.split(r"(?<!\\)\|", row.strip("|")))


def test_control_characters_of_a_user_never_reach_the_terminal() -> None:
    name = "evil\033[2J\r\n\u202e"
    change = samples.field("args.x", name, None, Impact.IN_PLACE, name)
    text = plan_text(samples.plan(samples.action(ActionKind.UPDATE, name, Impact.IN_PLACE, change, reason=name)))
    assert not {"\033", "\r", "\u202e"} & set(text)
    assert "evil\\x1b[2J\\r\\n\\u202e" in text


def test_values_of_environment_variables_are_not_shown_even_inside_a_bigger_value() -> None:
    change = samples.field(
        "runtime_env", None, {"env_vars": {"HF_TOKEN": "hunter2"}}, Impact.ROLLING_RESTART, before_set=False
    )
    plan = samples.plan(samples.action(ActionKind.UPDATE, "a", Impact.ROLLING_RESTART, change, rollout=samples.SURGE))
    for text in (plan_text(plan), plan_markdown(plan)):
        assert "HF_TOKEN" in text
        assert "hunter2" not in text


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (RolloutStrategy.SURGE, "50 % more replicas while old and new ones run side by side"),
        (RolloutStrategy.ROLLING, ""),
        (RolloutStrategy.RECREATE, ""),
    ],
)
def test_what_a_rollout_means_for_the_replicas(strategy: RolloutStrategy, expected: str) -> None:
    action = samples.action(
        ActionKind.UPDATE, "a", Impact.ROLLING_RESTART, rollout=Rollout(strategy, 50, True, "a minute without service")
    )
    assert plan_words.surge(action) == expected
    assert plan_words.consequence(action) == "rolling restart, a minute without service"


def test_a_registry_outside_git_says_so() -> None:
    assert plan_words.source(samples.plan(source=Source(None, None, True, "d"))) == "not in git"


def test_a_held_restart_is_not_called_in_place() -> None:
    action = samples.action(ActionKind.UPDATE, "a", Impact.ROLLING_RESTART)
    assert plan_words.consequence(action) == "rolling restart"


def test_a_plan_with_only_held_actions_is_not_nothing() -> None:
    plan: Plan = samples.plan(holds=samples.mixed_plan().holds)
    assert plan_words.summary(plan) == "Plan: 1 held"


@pytest.mark.parametrize(
    ("impact", "rollout", "said"),
    [
        (
            Impact.ROLLING_RESTART,
            Rollout(RolloutStrategy.SURGE, 100, False, "replicas of an earlier version serve until the new ones do"),
            "↻ retry a: tried again, replicas of an earlier version serve until the new ones do",
        ),
        (
            Impact.NONE,
            Rollout(RolloutStrategy.SURGE, 100, False, "nothing of it serves now"),
            "↻ retry a: tried again, nothing of it serves now",
        ),
        (Impact.NONE, None, "↻ retry a: tried again"),
    ],
)
def test_another_try_says_what_becomes_of_what_serves(impact: Impact, rollout: Rollout | None, said: str) -> None:
    change = samples.field("deployments[a].max_queued_requests", 1, 2, Impact.IN_PLACE, "only the controller uses it")
    action = samples.action(ActionKind.RETRY, "a", impact, change, rollout=rollout, reason="it failed to deploy")
    text = plan_text(samples.plan(action))
    assert said in text.splitlines()
    assert "    it failed to deploy" in text
    assert "1 to try again" in text
    assert ("side by side" in text) == impact.restarts
    assert "max_queued_requests" in text
    assert "max_queued_requests" in plan_markdown(samples.plan(action))

import pytest

from reconciler.diagnostics import Position
from reconciler.drift.report import DriftReport, Finding, FindingKind
from reconciler.plan.change import Impact
from reconciler.views.drift_markdown import drift_markdown
from reconciler.views.drift_text import drift_text
from tests.support import samples
from tests.support.golden import assert_golden

SOME = DriftReport(
    "local",
    (
        Finding(
            FindingKind.CONFIG,
            "local--tiny-chat-a",
            "its config is not the registry's",
            "`reconcile apply` puts it back, in place",
            (
                samples.field("deployments[LLMServer:local--tiny-chat-a].max_ongoing_requests", 3, 64, Impact.IN_PLACE),
                samples.field("runtime_env.env_vars.TOKEN", "(hidden)", "(hidden)", Impact.ROLLING_RESTART),
            ),
            Position("registry/local--tiny-chat-a.yaml", 1, 1),
        ),
        Finding(FindingKind.MISSING, "local--tiny-chat-b", "it is not there", "`reconcile apply` creates it"),
        Finding(FindingKind.HEALTH, "acme--sick", "UNHEALTHY: a replica | died @octocat", ""),
        Finding(FindingKind.UNMANAGED, "neighbour", "not ours", ""),
    ),
    ("gateway",),
)
REPORTS = {
    "some": SOME,
    "none": DriftReport("local", (), ("gateway", "a")),
    "others": DriftReport("l", SOME.findings[3:], ()),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_text_of_a_report(name: str) -> None:
    assert_golden(f"views/drift/{name}.txt", drift_text(REPORTS[name]))


@pytest.mark.parametrize("name", REPORTS)
def test_the_markdown_of_a_report(name: str) -> None:
    assert_golden(f"views/drift/{name}.md", drift_markdown(REPORTS[name]))

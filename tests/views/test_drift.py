import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families
from xmlschema import XMLSchema10

from reconciler.diagnostics import Position
from reconciler.drift.encode import drift_json
from reconciler.drift.report import (
    Accelerator,
    DriftField,
    DriftReport,
    Expected,
    Finding,
    FindingKind,
    Ignored,
    Member,
    Origin,
    Severity,
    Standing,
)
from reconciler.plan.change import FieldChange, Impact
from reconciler.views.diagnostics_junit import diagnostics_junit
from reconciler.views.diagnostics_sarif import diagnostics_sarif
from reconciler.views.drift_diagnostics import DRIFT_RULES, drift_diagnostics
from reconciler.views.drift_markdown import drift_markdown
from reconciler.views.drift_prometheus import drift_prometheus
from reconciler.views.drift_text import drift_text
from tests.support import samples
from tests.support.golden import assert_golden
from tests.support.published import junit_schema, sarif_schema

REQUESTS = samples.field("deployments[LLMServer:local--tiny-chat-a].max_ongoing_requests", 3, 64, Impact.IN_PLACE)
TOKEN = samples.field("runtime_env.env_vars.TOKEN", "(hidden)", "(hidden)", Impact.ROLLING_RESTART)
CONFIG = Finding(
    FindingKind.CONFIG,
    "local--tiny-chat-a",
    "2 fields changed on the cluster and in the registry",
    "`reconcile apply` puts it back, in place",
    Severity.ERROR,
    Origin.BOTH,
    (
        DriftField(REQUESTS, Origin.BOTH, 32, True),
        DriftField(TOKEN, Origin.CLUSTER, "(hidden)", True),
    ),
    Position("registry/local--tiny-chat-a.yaml", 1, 1),
    "2026-05-01T12:00:00+00:00",
)
MISSING = Finding(
    FindingKind.MISSING,
    "local--tiny-chat-b",
    "is merged and not on the cluster yet",
    "`reconcile apply` creates it",
    Severity.NOTE,
    Origin.REGISTRY,
)
HEALTH = Finding(
    FindingKind.HEALTH, "acme--sick", "UNHEALTHY: a replica | died @octocat", "", Severity.ERROR, Origin.CLUSTER
)
NODES = Finding(FindingKind.CLUSTER, "", "1 node alive", "bring them back", Severity.WARNING, Origin.CLUSTER)
NEIGHBOUR = Finding(FindingKind.UNMANAGED, "neighbour", "not ours", "", Severity.NOTE)


def member(name: str, standing: Standing) -> Member:
    position = Position(f"registry/{name}.yaml", 1, 1)
    return Member(name, f"org/{name}", standing, "RUNNING", 1, 2, 1, 4, 1.0, "L4", position)


SOME = DriftReport(
    "local",
    (CONFIG, MISSING, HEALTH, NODES, NEIGHBOUR),
    ("gateway",),
    expected=(
        Expected("a", "replicas", "the autoscaler runs 3 replicas of 1 to 4"),
        Expected("b", "deployments[D].max_surge_percent", "left by the last rollout; says only how"),
        Expected("c", "deployments[E].max_surge_percent", "left by the last rollout; says only how"),
    ),
    ignored=(Ignored(HEALTH, "an experiment <b>until</b> May"),),
    fleet=(member("local--tiny-chat-a", Standing.DRIFTED), member("gateway", Standing.IN_SYNC)),
    accelerators=(Accelerator("L4", 8.0, 3.0, 4.0, 12.0),),
    applied_commit="c" * 40,
    applied_time="2026-04-30T08:00:00+00:00",
    ray_version="2.60.0",
    time="2026-05-01T12:30:00+00:00",
)
REPORTS = {
    "some": SOME,
    "none": DriftReport("local", (), ("gateway", "a")),
    "rolled-back": replace(SOME, notes=("the cluster was rolled back to commit aaaaaaaaaaaa",)),
    "others": DriftReport("l", (NEIGHBOUR,), ()),
}
CLUSTER_FILE = Position("registry/clusters/local.yaml", 1, 1)


@pytest.mark.parametrize("name", REPORTS)
def test_the_text_of_a_report(name: str) -> None:
    assert_golden(f"views/drift/{name}.txt", drift_text(REPORTS[name]))


@pytest.mark.parametrize("name", REPORTS)
def test_the_markdown_of_a_report(name: str) -> None:
    assert_golden(f"views/drift/{name}.md", drift_markdown(REPORTS[name]))


def test_drift_is_a_sarif_log() -> None:
    found, waived = drift_diagnostics(SOME, CLUSTER_FILE)
    document = json.loads(diagnostics_sarif(found, waived, DRIFT_RULES, lambda file: file, "More."))
    assert [error.message for error in Draft202012Validator(sarif_schema()).iter_errors(document)] == []
    results = document["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == [
        "drift/config",
        "drift/missing",
        "drift/health",
        "drift/cluster",
        "drift/health",
    ]
    assert "registry 64, live 3" in results[0]["message"]["text"]
    assert results[-1]["suppressions"][0]["justification"].startswith("an experiment")


def test_drift_is_a_junit_report() -> None:
    found, _ = drift_diagnostics(SOME, CLUSTER_FILE)
    text = diagnostics_junit(found, ["registry/gateway.yaml"], strict=True, suite_name="reconcile drift")
    XMLSchema10(junit_schema()).validate(ET.fromstring(text.encode()))
    assert text.count("<failure") == 4


def test_drift_is_metrics() -> None:
    families = {family.name: family.samples for family in text_string_to_metric_families(drift_prometheus(SOME))}
    assert [sample.value for sample in families["reconciler_drift"]] == [1.0]
    counts = {sample.labels["kind"]: sample.value for sample in families["reconciler_drift_findings"]}
    assert counts == {"config": 1, "missing": 1, "health": 1, "cluster": 1, "unmanaged": 1}
    standing = {
        (sample.labels["application"], sample.labels["standing"]): sample.value
        for sample in families["reconciler_application_standing"]
    }
    assert standing["local--tiny-chat-a", "drifted"] == 1
    assert standing["gateway", "drifted"] == 0
    gpus = {sample.labels["what"]: sample.value for sample in families["reconciler_gpus"]}
    assert gpus == {"total": 8, "used": 3, "floor": 4, "ceiling": 12}
    [made] = families["reconciler_drift_report_timestamp_seconds"]
    assert made.value == 1777638600


def test_a_report_without_a_time_has_no_time_metric() -> None:
    assert "timestamp" not in drift_prometheus(REPORTS["none"])


def test_no_view_tells_the_value_of_a_variable() -> None:
    canary = "canary-2741"
    sides = ({"env_vars": {"A": canary}}, {"env_vars": {"B": canary}})
    field = DriftField(FieldChange("args.x", *sides, True, True, Impact.NONE, ""), Origin.BOTH, sides[0], True)
    report = DriftReport("l", (Finding(FindingKind.CONFIG, "a", "m", "r", Severity.ERROR, Origin.BOTH, (field,)),), ())
    found, waived = drift_diagnostics(report, CLUSTER_FILE)
    told = [
        drift_text(report),
        drift_markdown(report),
        diagnostics_sarif(found, waived, DRIFT_RULES, str),
        drift_prometheus(report),
        json.dumps(drift_json(report)),
    ]
    assert not [text for text in told if canary in text]

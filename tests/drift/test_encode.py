import json

import jsonschema
from hypothesis import given

from reconciler.drift.applied import Applied
from reconciler.drift.compare import Background, find_drift
from reconciler.drift.encode import drift_json
from reconciler.drift.ignore import IgnoreRule
from reconciler.drift.schema import SCHEMAS, drift_schema
from reconciler.registry.registry import ModelEntry
from tests.support.states import deployed, desired, foreign, model
from tests.support.strategies import registries


def test_a_reader_finds_both_sides_of_each_field() -> None:
    state = desired(model("org/a"))
    live = deployed(desired(model("org/a", deployment={"max_ongoing_requests": 9})), foreign())
    document = drift_json(find_drift(state, live))
    assert {key: document[key] for key in ("format_version", "cluster", "has_drift", "in_sync")} == {
        "format_version": "1.2",
        "cluster": "gpus",
        "has_drift": True,
        "in_sync": ["gateway"],
    }
    config, unmanaged = document["findings"]
    assert config == {
        "kind": "config",
        "is_drift": True,
        "severity": "warning",
        "origin": "unknown",
        "application": "org--a",
        "message": "1 field changed on the cluster or in the registry",
        "remedy": "`reconcile apply` brings the registry's values; `reconcile drift --accept` keeps what is live",
        "fields": [
            {
                "path": "deployments[LLMServer:org--a].max_ongoing_requests",
                "live": 9,
                "desired": 64,
                "impact": "reconfigure",
                "reason": "handed to the running replicas",
                "origin": "unknown",
            }
        ],
        "position": {"file": "registry/org--a.yaml", "line": 3, "column": 1},
        "since": None,
    }
    assert (unmanaged["kind"], unmanaged["is_drift"], unmanaged["severity"]) == ("unmanaged", False, "note")


def test_the_schema_is_a_schema_and_published() -> None:
    jsonschema.Draft202012Validator.check_schema(drift_schema())
    assert SCHEMAS["drift.schema.json"] is drift_schema


@given(registries(), registries(), registries())
def test_every_report_fits_the_schema(
    before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...], applied: tuple[ModelEntry, ...]
) -> None:
    background = Background((Applied("c" * 40, None, desired(*applied)),), (IgnoreRule("m*", None, "so"),))
    document = drift_json(find_drift(desired(*after), deployed(desired(*before), foreign()), background))
    jsonschema.Draft202012Validator(drift_schema()).validate(json.loads(json.dumps(document)))

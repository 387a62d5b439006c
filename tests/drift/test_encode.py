import json

import jsonschema
from hypothesis import given

from reconciler.drift.compare import find_drift
from reconciler.drift.encode import drift_json
from reconciler.drift.schema import SCHEMAS, drift_schema
from reconciler.registry.registry import ModelEntry
from tests.support.states import deployed, desired, foreign, model
from tests.support.strategies import registries


def test_a_reader_finds_both_sides_of_each_field() -> None:
    state = desired(model("org/a"))
    live = deployed(desired(model("org/a", deployment={"max_ongoing_requests": 9})), foreign())
    assert drift_json(find_drift(state, live)) == {
        "format_version": "1.0",
        "cluster": "gpus",
        "has_drift": True,
        "findings": [
            {
                "kind": "config",
                "is_drift": True,
                "application": "org--a",
                "message": "1 field changed on the cluster or in the registry",
                "remedy": "`reconcile apply` brings the registry's values back; or write the live ones there",
                "fields": [
                    {
                        "path": "deployments[LLMServer:org--a].max_ongoing_requests",
                        "live": 9,
                        "desired": 64,
                        "impact": "reconfigure",
                        "reason": "handed to the running replicas",
                    }
                ],
                "position": {"file": "registry/org--a.yaml", "line": 3, "column": 1},
            },
            {
                "kind": "unmanaged",
                "is_drift": False,
                "application": "theirs",
                "message": "deployed by somebody else",
                "remedy": "nothing to do: what is not ours is never changed",
                "fields": [],
                "position": None,
            },
        ],
        "in_sync": ["gateway"],
    }


def test_the_schema_is_a_schema_and_published() -> None:
    jsonschema.Draft202012Validator.check_schema(drift_schema())
    assert SCHEMAS["drift.schema.json"] is drift_schema


@given(registries(), registries())
def test_every_report_fits_the_schema(before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...]) -> None:
    document = drift_json(find_drift(desired(*after), deployed(desired(*before), foreign())))
    jsonschema.Draft202012Validator(drift_schema()).validate(json.loads(json.dumps(document)))

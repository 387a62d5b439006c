import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from reconciler.plan.encode import FORMAT_VERSION, plan_json
from reconciler.plan.plan import Plan
from reconciler.plan.schema import SCHEMAS, plan_schema
from reconciler.registry.registry import ModelEntry
from reconciler.state.json_value import digest
from tests.support.states import deployed, desired, foreign, gpu_nodes, in_use, live, model, plan
from tests.support.strategies import registries


def mixed() -> Plan:
    """An update, a restart, a hold, and somebody else's application with a secret."""
    secret = {"runtime_env": {"env_vars": {"TOKEN": "s3cret"}}}
    report = deployed(
        desired(model("org/a", engine=secret), model("org/b")),
        foreign(runtime_env={"env_vars": {"KEY": "s3cret"}}, args={"private": "th3irs"}),
        nodes=in_use(gpu_nodes(1), GPU=2, CPU=5),
    )
    changed = {"runtime_env": {"env_vars": {"TOKEN": "0ther"}}, "generation": {"generate_kwargs": {"top_p": 1.0}}}
    after = desired(model("org/a", engine=changed), model("org/c", scaling={"num_workers": 9}))
    return plan(after, report, allow_mass_change=True)


def validate(document: Any) -> None:
    jsonschema.Draft202012Validator(plan_schema()).validate(document)


def test_the_schema_is_a_schema_and_published() -> None:
    jsonschema.Draft202012Validator.check_schema(plan_schema())
    assert SCHEMAS["plan.schema.json"] is plan_schema


def test_a_reader_finds_everything() -> None:
    document = plan_json(mixed())
    validate(document)
    assert document["format_version"] == FORMAT_VERSION
    (wave,) = document["waves"]
    gateway, restart, delete = wave["actions"]
    assert (gateway["application"], delete["kind"]) == ("gateway", "delete")
    assert restart["model_id"] == "org/a"
    assert restart["rollout"]["sentence"] == "no downtime expected (surge fits)"
    assert restart["resources_per_replica"]["total"] == {"CPU": 2, "GPU": 1}
    assert restart["position"] == {"file": "registry/org--a.yaml", "line": 3, "column": 1}
    assert restart["fields"] == [
        {
            "path": "runtime_env.env_vars.TOKEN",
            "before": "(hidden)",
            "after": "(hidden)",
            "impact": "rolling restart",
            "reason": "part of the application's code version",
        }
    ]
    (hold,) = document["holds"]
    assert (hold["guard"], hold["action"]["application"]) == ("never-fits", "org--c")
    assert document["unmanaged"] == ["theirs"]


def test_no_value_of_a_variable_and_nothing_of_others_is_in_it() -> None:
    text = json.dumps(plan_json(mixed()))
    assert "s3cret" not in text
    assert "0ther" not in text
    assert "th3irs" not in text


def test_a_side_that_is_not_set_is_left_out() -> None:
    gateway = plan_json(mixed())["waves"][0]["actions"][0]
    sides = {change["path"].split(".models")[1]: change.keys() & {"before", "after"} for change in gateway["fields"]}
    assert sides == {'["org/a"].defaults.top_p': {"after"}, '["org/b"]': {"before"}}


def test_the_digest_is_of_all_the_rest() -> None:
    document = plan_json(mixed())
    assert document["digest"] == digest({key: value for key, value in document.items() if key != "digest"})


def test_equal_plans_are_equal_to_the_byte() -> None:
    assert json.dumps(plan_json(mixed())) == json.dumps(plan_json(mixed()))


@pytest.mark.parametrize("key", ["waves", "digest", "capacity", "options"])
def test_the_schema_refuses_a_plan_without(key: str) -> None:
    document = plan_json(mixed())
    del document[key]
    with pytest.raises(jsonschema.ValidationError):
        validate(document)


@given(registries(), registries())
def test_every_plan_fits_the_schema(before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...]) -> None:
    validate(plan_json(plan(desired(*after), deployed(desired(*before)))))


def test_a_plan_of_nothing_fits_the_schema() -> None:
    validate(plan_json(plan(desired(), live(nodes=()))))

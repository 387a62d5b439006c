import json
from dataclasses import replace
from typing import Any

import jsonschema
from hypothesis import given

from reconciler.plan.change import HIDDEN, Impact
from reconciler.plan.explanation import Explanation, explain
from reconciler.plan.explanation_schema import SCHEMAS, explanation_schema
from reconciler.plan.plan import ActionKind
from reconciler.registry.registry import ModelEntry
from reconciler.state.desired import DesiredState
from reconciler.state.live import LiveState
from reconciler.views.explanation_json import explanation_json
from reconciler.views.explanation_text import explanation_text
from tests.support.states import (
    deployed,
    desired,
    foreign,
    gpu_nodes,
    in_use,
    live,
    live_application,
    model,
    plan,
    replicas,
)
from tests.support.strategies import registries

OTHER_ENGINE = {"max_total_tokens": 4096}


def explained(name: str, state: DesiredState, report: LiveState, **allowed: Any) -> Explanation:
    return explain(name, plan(state, report, **allowed), state, report)


def restarted(**sections: Any) -> Explanation:
    """A model whose engine changes, on a cluster with eight GPUs."""
    before = desired(model("org/a"), model("org/b"))
    engine = {
        **OTHER_ENGINE,
        "runtime_env": {"env_vars": {"KEY": "s3cret"}},
        "generation": {"stopping_sequences": ["x"]},
    }
    after = desired(model("org/a", engine=engine, **sections), model("org/b"))
    return explained("org--a", after, deployed(before))


def test_each_field_has_the_rule_and_its_place() -> None:
    found = restarted(deployment={"max_queued_requests": 7})
    assert found.action is not None
    rules = {
        field.path.rpartition(".")[2]: (field.impact, field.source.rpartition(" ")[2])
        for field in found.action.change.fields
    }
    assert rules == {
        "max_model_len": (Impact.ROLLING_RESTART, "get_app_code_version"),
        "max_queued_requests": (Impact.IN_PLACE, "DeploymentConfig"),
        "KEY": (Impact.ROLLING_RESTART, "get_app_code_version"),
    }


def test_the_code_version_says_which_inputs_differ() -> None:
    code = restarted().code
    assert code.before != code.after
    assert code.differs_in == ("runtime_env", "args")
    same = explained("org--b", desired(model("org/b")), deployed(desired(model("org/b")))).code
    assert (same.before == same.after, same.differs_in) == (True, ())


def test_what_changes_in_the_gateway_for_this_model_alone() -> None:
    found = restarted()
    assert [field.path.rpartition(".models")[2] for field in found.routing] == ['["org/a"].stop']
    state = desired(model("org/a"), model("org/ab"))
    created = explained("org--ab", state, deployed(desired(model("org/a"))))
    assert [field.path.rpartition(".models")[2] for field in created.routing] == ['["org/ab"]']
    assert explained("gateway", state, deployed(desired(model("org/a")))).routing == ()


def test_what_fits_where_beside_everything_that_runs() -> None:
    before = desired(model("org/a", deployment=replicas(2)))
    after = desired(model("org/a", deployment=replicas(2), engine=OTHER_ENGINE))
    nodes = in_use(gpu_nodes(2, gpus=2, cpus=8), GPU=1, CPU=2)
    found = explained("org--a", after, deployed(before, nodes=nodes)).fit
    assert found is not None
    assert (found.wanted, found.fitting, found.wish) == (2, 2, "surge")
    assert found.needed == {"CPU": 2, "GPU": 1}
    assert [(node.node_id, node.parts) for node in found.nodes] == [("node-0", 2), ("node-1", 2)]
    assert found.nodes[0].free == {"CPU": 6, "GPU": 1}
    crowded = explained("org--a", after, deployed(before, nodes=in_use(gpu_nodes(1, gpus=3), GPU=2))).fit
    assert crowded is not None
    assert (crowded.wanted, crowded.fitting) == (2, 1)


def test_nothing_starts_where_nothing_has_to() -> None:
    before = desired(model("org/a"))
    assert (
        explained("org--a", desired(model("org/a", deployment={"max_queued_requests": 7})), deployed(before)).fit
        is None
    )
    gone = explained("org--a", desired(model("org/b")), deployed(before))
    assert gone.fit is None
    assert gone.action is not None
    assert gone.action.kind is ActionKind.DELETE
    assert gone.model_id == "org/a"
    assert (gone.code.before is None, gone.code.after) == (False, None)


def test_a_create_has_no_code_version_before() -> None:
    found = explained("org--a", desired(model("org/a")), live())
    assert (found.code.before, found.wave, found.waves) == (None, 1, 1)
    assert found.fit is not None
    assert found.fit.fitting == 1


def test_what_is_held_says_so() -> None:
    found = restarted(rollout={"protect": True})
    assert found.action is None
    assert found.wave is None
    assert found.hold is not None
    assert found.intention is found.hold.action
    assert "held by protected" in explanation_text(found)


def test_without_differences_each_setting_says_what_it_would_do() -> None:
    engine = {"runtime_env": {"env_vars": {"KEY": "s3cret"}}, "generation": {"generate_kwargs": {"top_p": 0.5}}}
    state = desired(model("org/a", engine=engine))
    found = explained("org--a", state, deployed(state))
    assert found.intention is None
    impacts = {setting.path: setting.rule.impact for setting in found.settings}
    assert impacts["args.llm_config.engine_kwargs.max_model_len"] is Impact.ROLLING_RESTART
    assert impacts["deployments[LLMServer:org--a].autoscaling_config.max_replicas"] is Impact.IN_PLACE
    assert impacts["deployments[LLMServer:org--a].max_ongoing_requests"] is Impact.RECONFIGURE
    assert impacts['gateway.user_config.models["org/a"].defaults'] is Impact.RECONFIGURE
    [key] = [setting for setting in found.settings if setting.path == "runtime_env.env_vars.KEY"]
    assert key.value == HIDDEN
    text = explanation_text(found)
    assert "nothing differs" in text
    assert "a change of these: rolling restart" in text
    assert "s3cret" not in text


def test_on_another_ray_every_setting_restarts() -> None:
    state = desired(model("org/a"))
    found = explained("org--a", state, deployed(state, version="2.61.0"))
    own = [setting for setting in found.settings if not setting.path.startswith("gateway.")]
    assert {setting.rule.impact for setting in own} == {Impact.ROLLING_RESTART}
    assert "proven for Ray 2.60 only" in explanation_text(found)


def test_an_application_that_somebody_deployed_by_program_has_nothing_to_say() -> None:
    state = desired()
    imperative = replace(live_application({"name": "theirs"}), declarative=False, application=None)
    found = explained("theirs", state, live(imperative))
    assert (found.settings, found.intention, found.model_id) == ((), None, None)


def test_the_json_fits_its_schema_and_hides_values() -> None:
    validator = jsonschema.Draft202012Validator(explanation_schema())
    state = desired(model("org/a"), model("org/b"))
    report = deployed(desired(model("org/b")), foreign())
    for found in (restarted(), restarted(rollout={"protect": True}), explained("org--b", state, report)):
        document = explanation_json(found, plan(state, report))
        validator.validate(document)
        assert "s3cret" not in json.dumps(document)
    assert SCHEMAS["explanation.schema.json"] is explanation_schema


def test_a_large_cluster_is_cut_short_and_a_crowded_one_says_what_is_missing() -> None:
    before = desired(model("org/a"))
    after = desired(model("org/a", engine=OTHER_ENGINE))
    text = explanation_text(explained("org--a", after, deployed(before, nodes=gpu_nodes(20))))
    assert "and 8 more nodes" in text
    assert text.count("node-") == 12
    full = explanation_text(explained("org--a", after, deployed(before, nodes=in_use(gpu_nodes(1), GPU=8))))
    assert "there is room for 0 of them" in full


@given(registries(), registries())
def test_every_application_can_be_explained(before: tuple[ModelEntry, ...], after: tuple[ModelEntry, ...]) -> None:
    state, report = desired(*after), deployed(desired(*before))
    made = plan(state, report)
    validator = jsonschema.Draft202012Validator(explanation_schema())
    for name in {entry.name for entry in (*state.applications, *report.applications)}:
        found = explain(name, made, state, report)
        assert found.intention is next(
            (one for one in (*made.actions, *(hold.action for hold in made.holds)) if one.name == name), None
        )
        validator.validate(explanation_json(found, made))
        assert explanation_text(found)

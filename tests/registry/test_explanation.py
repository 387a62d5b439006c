from textwrap import dedent

from reconciler.registry.dialects.translation import Fate, dotted
from reconciler.registry.explanation import Explanation, explain
from reconciler.views.explain_json import explain_json
from reconciler.views.explain_text import explain_text
from tests.support.golden import assert_golden

OLD = """\
deployment_config:
  max_concurrent_queries: 64
  autoscaling_config: {max_replicas: 8, metrics_interval_s: 10}
engine_config:
  model_id: org/m
  model_type: text-generation
  engine_kwargs: {quantization: squeezellm, max_num_seqs: "64"}
  generation: {prompt_format: null}
scaling_config:
  num_workers: 1
"""


def explained(text: str) -> Explanation:
    return explain("model.yaml", dedent(text).encode())


def fates(explanation: Explanation) -> dict[str, Fate]:
    return {dotted(fate.path): fate.fate for fate in explanation.fates}


def test_every_key_has_one_fate_in_the_order_of_the_lines() -> None:
    found = explained(OLD)
    assert found.dialect == "RayLLM"
    assert fates(found) == {
        "deployment_config.max_concurrent_queries": Fate.MAPPED,
        "deployment_config.autoscaling_config.max_replicas": Fate.MAPPED,
        "deployment_config.autoscaling_config.metrics_interval_s": Fate.OBSOLETE,
        "engine_config.model_id": Fate.MAPPED,
        "engine_config.model_type": Fate.METADATA,
        "engine_config.engine_kwargs.quantization": Fate.REFUSED,
        "engine_config.engine_kwargs.max_num_seqs": Fate.REFUSED,
        "engine_config.generation.prompt_format": Fate.MAPPED,
        "scaling_config.num_workers": Fate.MAPPED,
    }
    lines = [fate.position.line for fate in found.fates]
    assert lines == sorted(lines)


def test_what_the_file_does_not_say_is_named() -> None:
    added = {added.target: added.value for added in explained(OLD).added}
    assert added == {
        "deployment_config.autoscaling_config.target_ongoing_requests": 1.0,
        "engine_config.max_total_tokens": 2048,
    }


def test_a_check_refuses_a_key_of_a_canonical_file() -> None:
    found = explained("engine_config: {model_id: a, engine_kwargs: {max_num_seq: 1}, x: 1}")
    assert found.dialect == "canonical"
    assert fates(found)["engine_config.x"] is Fate.REFUSED
    assert fates(found)["engine_config.model_id"] is Fate.MAPPED


def test_the_name_of_the_file_is_not_judged() -> None:
    assert explained("engine_config: {model_id: a}").diagnostics == ()


def test_a_file_that_is_no_yaml() -> None:
    found = explained("a: [")
    assert (found.dialect, found.fates) == (None, ())
    assert found.diagnostics != ()


def test_the_table() -> None:
    assert_golden("views/explain/old.txt", explain_text(explained(OLD)))
    assert_golden("views/explain/old.json", explain_json(explained(OLD)))

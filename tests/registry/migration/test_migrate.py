"""A file in canonical form means what the file meant, and people find in it what they wrote."""

from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.registry.cluster import Cluster
from reconciler.registry.migration.migrate import migrate
from reconciler.registry.model_file import read_model
from reconciler.registry.registry import ClusterEntry, Registry
from reconciler.state.desired import desired_state
from reconciler.state.runtime_packages import RuntimePackages
from tests.registry.dialects import test_anyscale, test_aviary, test_llm_config, test_rayllm, test_tgi

CLUSTER = ClusterEntry("c", "c.yaml", Cluster.model_validate({"owner": "o", "local": True}))
FILES = {
    "aviary": test_aviary.static(),
    "tgi": test_tgi.FILE,
    "rayllm": test_rayllm.FILE,
    "embedding": test_rayllm.EMBEDDING,
    "trtllm": test_rayllm.TRTLLM,
    "anyscale": test_anyscale.FILE,
    "llm_config": test_llm_config.EARLY,
    "llm_config of today": "model_loading_config: {model_id: org/m}",
}


def migrated(text: str) -> str:
    found = migrate("model.yaml", dedent(text).encode())
    assert found.diagnostics == ()
    assert found.text is not None
    return found.text


def compiled(text: str) -> list[dict[str, Any]]:
    """The applications that a model file stands for."""
    entry = read_model("model.yaml", dedent(text).encode()).entry
    assert entry is not None
    state = desired_state(Registry((entry,), (CLUSTER,)), CLUSTER, RuntimePackages(None, None))
    return [dict(each.application.config) for each in state.applications]


@pytest.mark.parametrize("name", FILES)
def test_a_migrated_file_is_canonical_and_stands_for_the_same_applications(name: str) -> None:
    after = migrated(FILES[name])
    assert compiled(after) == compiled(FILES[name])
    again = migrate("model.yaml", after.encode())
    assert (again.dialect, again.text, again.diagnostics) == ("canonical", None, ())


def test_comments_order_and_quoting_stay_where_a_key_survives() -> None:
    assert migrated("""
        # A chat model.

        deployment_config:
          max_concurrent_queries: 64  # as many as the engine
          autoscaling_config:
            # Never none.
            min_replicas: 1
            max_replicas: 8
            metrics_interval_s: 10.0  # gone with its key
            smoothing_factor: 0.60
            target_num_ongoing_requests_per_replica: 24

        engine_config:
          type: VLLMEngine
          model_id: 'org/m'
          max_total_tokens: 4096
          engine_kwargs:
            max_num_seqs: 64
            # quantization: awq

        scaling_config:
          resources_per_worker:
            "accelerator_type_a10": 0.01
          num_workers: 1
        # The end.
        """) == dedent("""
        # A chat model.

        deployment_config:
          max_ongoing_requests: 64  # as many as the engine
          autoscaling_config:
            # Never none.
            min_replicas: 1
            max_replicas: 8
            upscaling_factor: 0.60
            downscaling_factor: 0.6
            target_ongoing_requests: 24

        engine_config:
          type: VLLMEngine
          model_id: 'org/m'
          max_total_tokens: 4096
          engine_kwargs:
            max_num_seqs: 64
            # quantization: awq

        scaling_config:
          resources_per_worker:
            "accelerator_type:A10G": 0.01
          num_workers: 1
        # The end.
        """).lstrip("\n")


def test_a_comment_moves_with_its_key() -> None:
    after = migrated("""
        model_loading_config:
          # What clients ask for.
          model_id: org/m
        engine_kwargs:
          max_model_len: 8192  # the model could do 128k
        """)
    assert "engine_config:\n  # What clients ask for.\n  model_id: org/m\n" in after
    assert "  max_total_tokens: 8192  # the model could do 128k\n" in after


def test_text_that_nobody_wrote_is_quoted_where_it_could_be_something_else() -> None:
    after = migrated("""
        deployment_config: {max_concurrent_queries: 1}
        engine_config: {model_id: a, env_vars_to_propogate: [A], generation: {stopping_sequences: ["- a"]}}
        scaling_config: {num_workers: 1}
        """)
    assert '      A: "${env:A}"\n' in after
    assert '    stopping_sequences: ["- a"]\n' in after


def test_a_canonical_file_is_left_alone() -> None:
    found = migrate("model.yaml", b"engine_config:   {model_id:   a}  # as it is\n")
    assert (found.dialect, found.text, found.diagnostics) == ("canonical", None, ())


@pytest.mark.parametrize(
    "text",
    [
        "engine_config: {model_id: a",
        "engine_config: {model_id: a, x: 1}",
        "engine_config: {model_id: a, x: 1}\ndeployment_config: {max_concurrent_queries: 1}",
    ],
)
def test_a_file_with_an_error_is_not_rewritten(text: str) -> None:
    found = migrate("model.yaml", text.encode())
    assert found.text is None
    assert found.diagnostics != ()


VALUES = st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=6) | st.just("yes") | st.just({})
REMARKS = st.sampled_from(["", "  # remark", "\n# remark", "\n      # remark", "\n\n"])


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_whatever_can_be_read_can_be_migrated(data: st.DataObject) -> None:
    value: Any = yaml.safe_load(dedent(FILES[data.draw(st.sampled_from(sorted(FILES)))]))
    for _ in range(data.draw(st.integers(0, 3))):
        section = value
        while True:
            key = data.draw(st.sampled_from(sorted(section)))
            if not isinstance(section[key], dict) or not section[key] or data.draw(st.booleans()):
                break
            section = section[key]
        section[key] = data.draw(VALUES)
    text = "".join(line + data.draw(REMARKS) + "\n" for line in yaml.safe_dump(value, width=1000).splitlines())
    found = migrate("model.yaml", text.encode())
    # That the result means the same, `migrate` has made sure of itself.
    assert found.text is None or migrate("model.yaml", found.text.encode()).text is None

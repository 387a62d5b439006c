import pytest

from reconciler.registry.dialects.autoscaling import AVIARY
from reconciler.registry.dialects.envelope import translate_envelope
from reconciler.registry.dialects.translation import Fate, Translation
from reconciler.registry.spec import ModelSpec
from reconciler.state.compile import replica_bundles
from tests.support.dialects import fates, rules, translator


def envelope(text: str, max_ongoing_requests: int | None = 20) -> Translation:
    found = translator(text)
    translate_envelope(found, autoscaling=AVIARY, max_ongoing_requests=max_ongoing_requests)
    return found.finish()


def bundles(text: str) -> list[dict[str, float]]:
    value = {**envelope(text).value, "engine_config": {"model_id": "org/m"}}
    return [dict(bundle) for bundle in replica_bundles(ModelSpec.model_validate(value)).bundles]


def test_the_bundles_of_a_replica_are_those_of_rayllm() -> None:
    assert bundles(
        """
        deployment_config:
          ray_actor_options: {resources: {accelerator_type_a10: 0.01}}
        scaling_config:
          num_workers: 2
          num_gpus_per_worker: 1
          num_cpus_per_worker: 8
          placement_strategy: STRICT_PACK
          resources_per_worker: {accelerator_type_a100_80g: 0.01, accelerator_type_cpu: 0.01, disk: 2}
        """
    ) == [
        {"CPU": 1.0, "accelerator_type:A10G": 0.01},
        {"CPU": 8.0, "GPU": 1.0, "accelerator_type:A100-80G": 0.01, "disk": 2.0},
        {"CPU": 8.0, "GPU": 1.0, "accelerator_type:A100-80G": 0.01, "disk": 2.0},
    ]


def test_a_replica_without_workers_keeps_its_only_bundle() -> None:
    text = """
        deployment_config:
          ray_actor_options: {num_cpus: 4, num_gpus: 1, resources: {"accelerator_type:NVIDIA_L4": 0.01}}
        scaling_config:
          num_workers: 0
          num_gpus_per_worker: 1
          resources_per_worker: {accelerator_type_l4: 0.01}
        """
    assert bundles(text) == [{"CPU": 4.0, "GPU": 1.0, "accelerator_type:L4": 0.01}]
    assert fates(envelope(text))["scaling_config.resources_per_worker.accelerator_type_l4"] is Fate.OBSOLETE


def test_the_accelerator_of_the_replica_actor_is_a_resource() -> None:
    assert bundles(
        """
        deployment_config: {ray_actor_options: {num_cpus: 0, accelerator_type: A100_40G}}
        scaling_config: {num_workers: 1}
        """
    ) == [{"accelerator_type:A100-40G": 0.001}, {"CPU": 1.0, "GPU": 1.0}]


def test_resources_of_nothing_are_left_out() -> None:
    translation = envelope("scaling_config: {num_workers: 1, resources_per_worker: {accelerator_type_a10: 0}}")
    assert "resources_per_worker" not in translation.value["scaling_config"]
    assert fates(translation)["scaling_config.resources_per_worker.accelerator_type_a10"] is Fate.METADATA


def test_two_spellings_of_one_resource_are_refused() -> None:
    text = 'scaling_config: {num_workers: 1, resources_per_worker: {accelerator_type_l4: 1, "accelerator_type:L4": 1}}'
    assert "given-twice" in rules(envelope(text))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("max_concurrent_queries: 64", 64),
        ("max_ongoing_requests: 64", 64),
        ("max_concurrent_queries: null", 20),
        ("", 20),
    ],
)
def test_the_requests_of_a_replica_have_a_new_name_and_an_old_default(written: str, expected: int) -> None:
    translation = envelope(f"deployment_config: {{{written}}}\nscaling_config: {{num_workers: 1}}")
    assert translation.value["deployment_config"]["max_ongoing_requests"] == expected


def test_a_caller_may_write_the_requests_itself() -> None:
    translation = envelope("scaling_config: {num_workers: 1}", max_ongoing_requests=None)
    assert "max_ongoing_requests" not in translation.value["deployment_config"]


def test_what_the_format_never_read_is_obsolete() -> None:
    translation = envelope(
        """
        deployment_config:
          num_replicas: 3
          user_config: {a: 1}
          health_check_period_s: 5
          placement_group_strategy: SPREAD
          ray_actor_options: {memory: 1000}
        scaling_config: {num_workers: 1, pg_timeout_s: 600}
        """
    )
    assert set(fates(translation).values()) == {Fate.OBSOLETE, Fate.MAPPED}
    assert set(translation.value["deployment_config"]) == {"autoscaling_config", "max_ongoing_requests"}
    assert set(translation.value["scaling_config"]) == {"num_workers"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("scaling_config: {num_workers: 1, num_gpus_per_worker: 2}", "one-gpu-a-worker"),
        ("scaling_config: {num_gpus_per_worker: 1}", "missing-key"),
        (
            "deployment_config: {ray_actor_options: {runtime_env: {pip: [a]}}}\nscaling_config: {num_workers: 1}",
            "replica-runtime-env",
        ),
        ("scaling_config: {num_workers: 1, num_wrokers: 2}", "unknown-key"),
        ("scaling_config: [1]", "wrong-type"),
    ],
)
def test_what_cannot_be_carried_is_an_error(text: str, rule: str) -> None:
    assert rule in rules(envelope(text))


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    translation = envelope("scaling_config: {num_workers: 1, num_wrokers: {deep: {a: 1, b: 2}}}")
    found = [diagnostic for diagnostic in translation.diagnostics if diagnostic.rule == "unknown-key"]
    assert [(problem.message, problem.hint) for problem in found] == [
        ("`scaling_config.num_wrokers` is not known in Test files", "did you mean `num_workers`?")
    ]
    assert str(found[0].position) == "model.yaml:1:34"


def test_enabled_and_the_placement_strategy_stay() -> None:
    value = envelope("enabled: false\nscaling_config: {num_workers: 4, placement_strategy: STRICT_PACK}").value
    assert value["enabled"] is False
    assert value["scaling_config"] == {"num_workers": 4, "placement_strategy": "STRICT_PACK"}

from reconciler.registry.dialects.autoscaling import AVIARY, RAYLLM, TARGET, translate_autoscaling
from reconciler.registry.dialects.translation import Fate
from tests.support.dialects import fates, rules, translator

SOURCE = ("deployment_config", "autoscaling_config")


def autoscaling(block: str, defaults=AVIARY):
    found = translator(f"deployment_config: {{autoscaling_config: {{{block}}}}}")
    translate_autoscaling(found, SOURCE, defaults)
    return found.value_at(TARGET), found.finish()


def test_a_file_without_the_block_gets_the_replicas_of_its_format() -> None:
    for defaults, expected in (
        (AVIARY, {"min_replicas": 1, "initial_replicas": 2, "max_replicas": 8, "target_ongoing_requests": 1.0}),
        (RAYLLM, {"min_replicas": 1, "max_replicas": 10, "target_ongoing_requests": 10.0}),
    ):
        found = translator("deployment_config: {autoscaling_config: null}")
        translate_autoscaling(found, SOURCE, defaults)
        assert found.value_at(TARGET) == expected
        translation = found.finish()
        assert rules(translation) == ["implied-autoscaling"]
        assert fates(translation) == {"deployment_config.autoscaling_config": Fate.METADATA}


def test_an_omitted_target_is_the_one_that_ray_implied() -> None:
    value, _ = autoscaling("min_replicas: 2, max_replicas: 3", RAYLLM)
    assert value == {"min_replicas": 2, "max_replicas": 3, "target_ongoing_requests": 1.0}


def test_the_old_name_of_the_target_is_carried() -> None:
    value, translation = autoscaling("target_num_ongoing_requests_per_replica: 24.0")
    assert value == {"target_ongoing_requests": 24.0}
    assert translation.fates[0].target == "deployment_config.autoscaling_config.target_ongoing_requests"


def test_two_names_of_the_target_contradict_each_other() -> None:
    value, translation = autoscaling("target_num_ongoing_requests_per_replica: 24.0, target_ongoing_requests: 3")
    assert value == {"target_ongoing_requests": 3}
    assert rules(translation) == ["given-twice"]


def test_a_smoothing_factor_is_both_factors_of_today() -> None:
    value, _ = autoscaling("smoothing_factor: 0.5")
    assert (value["upscaling_factor"], value["downscaling_factor"]) == (0.5, 0.5)


def test_a_smoothing_factor_gives_way_to_the_factor_of_one_direction() -> None:
    value, _ = autoscaling("smoothing_factor: 0.5, upscale_smoothing_factor: 2.0")
    assert (value["upscaling_factor"], value["downscaling_factor"]) == (2.0, 0.5)
    value, translation = autoscaling("smoothing_factor: 0.5, upscaling_factor: 2.0, downscaling_factor: 3.0")
    assert (value["upscaling_factor"], value["downscaling_factor"]) == (2.0, 3.0)
    assert fates(translation)["deployment_config.autoscaling_config.smoothing_factor"] is Fate.OBSOLETE


def test_a_smoothing_factor_of_1_changes_nothing() -> None:
    value, translation = autoscaling("smoothing_factor: 1.0")
    assert "upscaling_factor" not in value
    assert fates(translation) == {"deployment_config.autoscaling_config.smoothing_factor": Fate.METADATA}


def test_one_factor_under_two_names_is_refused() -> None:
    _, translation = autoscaling("upscale_smoothing_factor: 2.0, upscaling_factor: 2.0")
    assert rules(translation) == ["given-twice"]


def test_the_rest_stays_what_it_is_and_the_metrics_interval_is_obsolete() -> None:
    value, translation = autoscaling(
        "min_replicas: 1, initial_replicas: 1, max_replicas: 8, metrics_interval_s: 10.0, look_back_period_s: 30.0, "
        "downscale_delay_s: 300.0, upscale_delay_s: 90.0"
    )
    assert value == {
        "min_replicas": 1,
        "initial_replicas": 1,
        "max_replicas": 8,
        "target_ongoing_requests": 1.0,
        "look_back_period_s": 30.0,
        "downscale_delay_s": 300.0,
        "upscale_delay_s": 90.0,
    }
    assert [path for path, fate in fates(translation).items() if fate is Fate.OBSOLETE] == [
        "deployment_config.autoscaling_config.metrics_interval_s"
    ]

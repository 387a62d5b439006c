"""Models that scale to zero: the request that wakes one waits for it, for as long as the cluster file says."""

from pathlib import Path

import pytest

from tests.support.scripted import Stage, engine, gateway, wait_until

pytestmark = pytest.mark.ray

SOON = {"downscale_to_zero_delay_s": 0.5, "downscale_delay_s": 0.5, "look_back_period_s": 1, "metrics_interval_s": 0.5}
ASLEEP = {"min_replicas": 0, "initial_replicas": 0, "max_replicas": 1, "target_ongoing_requests": 1, **SOON}
MODELS = {"sleepy": {}, "slow": {}, "covered": {"fallback": "sleepy"}}


@pytest.fixture(scope="module", autouse=True)
def deployed(stage: Stage) -> None:
    """Models without replicas: one that starts at once, and two that take longer than anybody waits."""
    stage.play(
        engine("sleepy", autoscaling_config=ASLEEP),
        engine("slow", startup_s=600, autoscaling_config=ASLEEP),
        engine("covered", startup_s=600, autoscaling_config=ASLEEP),
        gateway(MODELS),
    )


def test_a_model_is_woken_by_the_request_and_sleeps_again_and_is_woken_again(stage: Stage) -> None:
    assert stage.replica_ids("sleepy") == ()
    first = stage.ask({"say_self": None}, model="sleepy")
    assert first.status_code == 200, first.text
    wait_until(lambda: stage.replica_ids("sleepy") == ())
    second = stage.ask({"say_self": None}, model="sleepy")
    assert second.status_code == 200, second.text
    assert first.text != second.text


def test_who_waits_for_too_long_is_told_to_come_back(stage: Stage) -> None:
    stage.play(gateway(MODELS, limits={"start_s": 3}))
    wait_until(lambda: stage.ask(model="slow").status_code == 503)
    response = stage.ask(model="slow")
    assert int(response.headers["Retry-After"]) >= 1
    assert response.json()["error"]["message"] == "Model `slow` is not available: it is starting, and is not ready yet"


def test_another_model_may_answer_in_the_meantime(stage: Stage, tmp_path: Path) -> None:
    wait_until(lambda: stage.ask(model="sleepy").status_code == 200)
    # Busy, so that it does not go back to sleep while the other one is waited for.
    go = tmp_path / "go"
    body = {"model": "sleepy", "script": [{"say": "data: 1\n\n"}, {"wait_for": str(go)}]}
    with stage.http.stream("POST", "/v1/chat/completions", json=body) as busy:
        reads = busy.iter_raw()
        next(reads)
        response = stage.ask({"say_self": None}, model="covered")
        go.touch()
    assert response.status_code == 200, response.text
    assert response.headers["x-reconciler-model"] == "sleepy"

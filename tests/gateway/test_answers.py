"""What comes through the gateway and how soon, on real Ray."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.serve.local.cluster import LocalCluster
from tests.support.scripted import Stage, engine, gateway, wait_until

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module", autouse=True)
def deployed(stage: Stage) -> None:
    """Model `a` with two replicas, model `down` that is in the table and nowhere else."""
    two = {"min_replicas": 2, "max_replicas": 2}
    stage.play(engine("a", autoscaling_config=two), gateway({"a": {"aliases": ["alias"]}, "down": {}}))


def test_a_request_reaches_the_engine_whole(stage: Stage) -> None:
    headers = {"X-Request-Id": "r-1", "Authorization": "Bearer secret"}
    response = stage.ask({"say_request": None}, model="alias", unknown={"a": 1}, headers=headers)
    assert response.headers["x-reconciler-model"] == "a"
    assert response.headers.get_list("x-request-id") == ["r-1"]
    seen = response.json()
    assert (seen["method"], seen["path"]) == ("POST", "/v1/chat/completions")
    assert json.loads(seen["body"])["model"] == "a"
    assert json.loads(seen["body"])["unknown"] == {"a": 1}
    headers = dict(seen["headers"])
    assert headers["x-request-id"] == "r-1"
    assert not {"authorization", "host", "content-length"} & set(headers)


def test_a_long_body_arrives(stage: Stage) -> None:
    response = stage.ask({"say_request": None}, padding="x" * 5_000_000)
    assert len(response.json()["body"]) > 5_000_000


def test_the_first_piece_does_not_wait_for_the_second(stage: Stage, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = [{"say": "data: 1\n\n"}, {"wait_for": str(go)}, {"say": "data: 2\n\n"}]
    with stage.http.stream("POST", "/v1/chat/completions", json={"model": "a", "script": script}) as response:
        reads = response.iter_raw()
        # The engine waits until this piece has been seen here.
        assert next(reads) == b"data: 1\n\n"
        go.touch()
        assert b"".join(reads) == b"data: 2\n\n"


def test_a_client_that_goes_away_in_a_stream_stops_the_engine(stage: Stage) -> None:
    body = {"model": "a", "script": [{"say": "data: 1\n\n"}, {"wait": 600}], "log": str(stage.log)}
    with stage.http.stream("POST", "/v1/chat/completions", json=body) as response:
        assert next(response.iter_raw()) == b"data: 1\n\n"
    wait_until(lambda: stage.logged() == ["began", "cancelled"])


def test_a_client_that_goes_away_before_the_answer_stops_the_engine(stage: Stage) -> None:
    with pytest.raises(Exception, match="timed out"):
        stage.http.post(
            "/v1/chat/completions",
            json={"model": "a", "script": [{"wait": 600}], "log": str(stage.log)},
            timeout=2,
        )
    wait_until(lambda: stage.logged() == ["began", "cancelled"])


def test_an_error_of_the_engine_passes_as_it_is(stage: Stage) -> None:
    response = stage.ask({"head": 422, "type": "application/json"}, {"say": '{"error": 1}'})
    assert (response.status_code, response.text) == (422, '{"error": 1}')


@pytest.mark.parametrize(
    ("model", "script", "status", "code"),
    [
        ("unknown", [], 404, "model_not_found"),
        ("down", [], 503, "model_unavailable"),
        ("a", [{"raise": "secret words"}], 502, "engine_failed"),
    ],
)
def test_errors_have_the_shape_of_openai(stage: Stage, model: str, script: list[Any], status: int, code: str) -> None:
    response = stage.ask(*script, model=model)
    assert response.status_code == status, response.text
    assert response.json()["error"]["code"] == code
    assert "secret" not in response.text
    assert ("Retry-After" in response.headers) == (status == 503)


def test_replicas_say_what_they_have_to_do(stage: Stage, tmp_path: Path) -> None:
    go = tmp_path / "go"
    body = {"model": "a", "script": [{"say": "data: 1\n\n"}, {"wait_for": str(go)}]}
    with stage.http.stream("POST", "/v1/chat/completions", json=body) as response:
        reads = response.iter_raw()
        next(reads)
        found = stage.http.get("/reconciler/work").json()["models"]
        go.touch()
        assert b"".join(reads) == b""
    assert found["down"] is None
    assert tuple(sorted(found["a"])) == stage.replica_ids("a")
    assert sum(report["ongoing"] for report in found["a"].values()) == 1


def test_a_new_table_is_taken_in_place(stage: Stage) -> None:
    before = {model: stage.replica_ids(model) for model in ("a", "gateway")}
    stage.play(gateway({"a": {"aliases": ["other"], "defaults": {"temperature": 0.5}}}))
    wait_until(lambda: stage.ask(model="other").status_code == 200)
    seen = stage.ask({"say_request": None}, model="other").json()
    assert json.loads(seen["body"])["temperature"] == 0.5
    assert stage.ask(model="alias").status_code == 404
    assert {model: stage.replica_ids(model) for model in ("a", "gateway")} == before


def test_what_clients_say_is_not_in_the_gateways_logs(stage: Stage, ray_cluster: LocalCluster) -> None:
    prompt, key = "purple-elephant", "sk-never-written-down"
    headers = {"Authorization": f"Bearer {key}"}
    assert stage.ask({"say_self": None}, prompt=prompt, headers=headers).status_code == 200
    assert stage.ask({"raise": prompt}, prompt=prompt, headers=headers).status_code == 502
    broken = stage.http.post("/v1/completions", content=f'{{"prompt": "{prompt}"'.encode(), headers=headers)
    assert broken.status_code == 400
    logs = ray_cluster.temp_directory / "session_latest" / "logs" / "serve"
    gateways = list(logs.glob("replica_gateway*.log"))
    assert gateways
    wait_until(lambda: any("RuntimeError" in log.read_text() for log in gateways))
    for log in (*gateways, *logs.glob("proxy*.log")):
        text = log.read_text()
        assert prompt not in text, log
        assert key not in text, log


def test_the_gateway_measures_itself(stage: Stage, ray_cluster: LocalCluster) -> None:
    assert stage.ask({"say": '{"usage":{"prompt_tokens":5,"completion_tokens":7}}'}).status_code == 200
    assert stage.ask(model="made-up-by-a-client").status_code == 404
    wanted = [
        'reconciler_gateway_requests_total{.*model="a".*status="200"',
        'reconciler_gateway_requests_total{.*model="unknown".*status="404"',
        'reconciler_gateway_latency_seconds_count{.*model="a"',
        'reconciler_gateway_first_byte_seconds_count{.*model="a"',
        'reconciler_gateway_ongoing_requests{.*model="a"',
        'reconciler_gateway_tokens_total{.*kind="completion".*model="a"',
    ]
    wait_until(lambda: all(re.search(one, measured(ray_cluster)) for one in wanted))
    assert "made-up-by-a-client" not in measured(ray_cluster)


def measured(ray_cluster: LocalCluster) -> str:
    """What the metrics port of the node shows."""
    headers = {"Authorization": f"Bearer {ray_cluster.token}"} if ray_cluster.token else {}
    nodes = httpx.get(f"{ray_cluster.dashboard_address}/nodes", params={"view": "summary"}, headers=headers).json()
    port = nodes["data"]["summary"][0]["raylet"]["metricsExportPort"]
    return httpx.get(f"http://127.0.0.1:{port}/metrics", headers=headers).text

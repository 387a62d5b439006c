"""Weights from everywhere, adapters, embeddings and another architecture: real vLLM behind the real gateway, brought up
and changed by `reconcile apply`.

One apply deploys all of it, with a model whose weights are not there: the models load side by side.
"""

import contextlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.main import main
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.local.model import build
from reconciler.serve.rest import RestClient
from tests.support.cli import Ran
from tests.support.hub import hub
from tests.support.lora import adapter
from tests.support.stores import Store, s3
from tests.support.tiny_models import NEW_TOKENS, PROMPTS, TEXTS
from tests.support.vectors import TOLERANCE, difference
from tests.support.world import World

pytestmark = pytest.mark.vllm

TOKEN = "WEIGHTS_DASHBOARD_TOKEN"
HASH = "1a2b3c4d"
COMMIT = "c" * 40
CHAT = "local/tiny-chat"


def model(model_id: str, **engine: Any) -> dict[str, Any]:
    """A model on CPUs."""
    arguments = {"dtype": "float32", "enforce_eager": True, **engine.pop("engine_kwargs", {})}
    environment = {"TORCHDYNAMO_DISABLE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0", **engine.pop("env_vars", {})}
    return {
        "deployment_config": {"ray_actor_options": {"num_cpus": 0.5}, "graceful_shutdown_timeout_s": 20},
        "engine_config": {
            "model_id": model_id,
            "engine_kwargs": arguments,
            "runtime_env": {"env_vars": environment},
            **engine,
        },
        "scaling_config": {"num_workers": 1, "num_gpus_per_worker": 0, "num_cpus_per_worker": 0.25},
    }


@dataclass
class Served:
    """A registry on a cluster, and what answers there."""

    root: Path
    cluster: LocalCluster
    world: World
    store: Store
    http: httpx.Client
    expected: dict[str, Any]
    first: Ran
    """The apply that brought everything."""

    def write(self, spec: Mapping[str, Any]) -> None:
        """A model's file."""
        name = spec["engine_config"]["model_id"].replace("/", "--")
        (self.root / "registry" / f"{name}.yaml").write_text(yaml.safe_dump(dict(spec)))

    def apply(self) -> Ran:
        """`reconcile apply`, unattended, in this process."""
        out, err = io.StringIO(), io.StringIO()
        variables = {"TERM": "dumb", **({TOKEN: self.cluster.token} if self.cluster.token else {})}
        environment = Environment(variables, Console(variables, io.StringIO(), out, err))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["apply", "--registry", str(self.root / "registry"), "--auto-approve"], environment)
        return Ran(code, out.getvalue(), err.getvalue())

    def adapters(self, *entries: Mapping[str, Any]) -> Ran:
        """Apply the chat model with these adapters."""
        self.write(chat(self, *entries))
        return self.apply()

    def complete(self, name: str, prompt: str = "Once upon a time") -> httpx.Response:
        """Twelve tokens, always the likeliest."""
        body = {"model": name, "prompt": prompt, "temperature": 0, "max_tokens": 12}
        return self.http.post("/v1/completions", json=body)

    def text(self, name: str, prompt: str = "Once upon a time") -> str:
        """The text of `complete`."""
        response = self.complete(name, prompt)
        assert response.status_code == 200, response.text
        assert response.json()["model"] == name
        return str(response.json()["choices"][0]["text"])

    def replica_ids(self, name: str) -> tuple[str, ...]:
        """The running replicas of an application."""
        found = self.world.state().application(name)
        assert found is not None
        return found.replica_ids

    def about(self, model_id: str) -> Any:
        """What the only replica of a model says of itself."""
        [report] = self.http.get("/reconciler/work").json()["models"][model_id].values()
        return report["about"]


def chat(served: Any, *adapters: Mapping[str, Any]) -> dict[str, Any]:
    """The tiny chat model from the bucket, with these adapters and a path for others."""
    return model(
        CHAT,
        s3_mirror_config={"bucket_uri": served.store.uri("models/tiny-chat")},
        max_total_tokens=1024,
        engine_kwargs={"kv_cache_memory_bytes": 67108864, "max_lora_rank": 8},
        env_vars=bucket(served.root, served.store),
        lora_config={
            "dynamic_lora_loading_path": served.store.uri("adapters"),
            "max_num_adapters_per_replica": 2,
            "adapters": [dict(entry) for entry in adapters],
        },
        generation={"generate_kwargs": {"max_tokens": 12}},
    )


def bucket(root: Path, store: Store) -> dict[str, str]:
    """What a replica needs to read the bucket."""
    config = root / "aws.ini"
    config.write_text("[default]\naws_access_key_id = tests\naws_secret_access_key = tests\nregion = us-east-1\n")
    return {
        "AWS_ENDPOINT_URL": store.address,
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HF_HUB_CACHE": str(root / "hub"),
    }


@pytest.fixture(scope="module")
def served(ray_cluster: LocalCluster, client: RestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Everything, deployed by one apply."""
    root = tmp_path_factory.mktemp("weights")
    subprocess.run([sys.executable, "-m", "tests.support.tiny_models", str(root / "models")], check=True)
    expected = json.loads((root / "models" / "expected.json").read_text())
    (root / "registry" / "clusters").mkdir(parents=True)
    token = f"  token: {{env: {TOKEN}}}\n" if ray_cluster.token else ""
    (root / "registry" / "clusters" / "local.yaml").write_text(
        f"owner: tests\ndefault: true\ndashboard:\n  address: {ray_cluster.dashboard_address}\n{token}"
        f"gateway: {{address: {ray_cluster.gateway_address}, num_cpus: 0.2}}\n"
    )
    adapter(root / "lora" / "fr", seed=1)
    with (
        s3() as store,
        hub() as repositories,
        httpx.Client(base_url=ray_cluster.gateway_address, timeout=120) as http,
    ):
        repositories.add("tests/tiny-helium", COMMIT, root / "models" / "tiny-helium", "v1")
        repositories.add("tests/tiny-helium", "d" * 40, root / "models" / "tiny-helium", "main")
        store.put_folder(build(root / "models" / "tiny-chat", seed=1), "models/tiny-chat", hash=HASH.encode())
        store.put_folder(adapter(root / "lora" / "de", seed=2), "adapters/de")
        store.put_folder(adapter(root / "lora" / "sql", seed=3), "adapters/team:sql")
        world = World(client, client)
        found = Served(root, ray_cluster, world, store, http, expected, Ran(0, "", ""))
        found.write(chat(found, {"id": "fr", "source": str(root / "lora" / "fr"), "description": "French"}))
        found.write(
            model(
                "local/tiny-bert",
                type="EmbeddingEngine",
                hf_model_id=str(root / "models" / "tiny-bert"),
                max_total_tokens=128,
                # It has no KV cache to give a size to; without any, vLLM wants most of the machine to be free.
                engine_kwargs={"pooler_config": {"pooling_type": "MEAN"}, "gpu_memory_utilization": 0.1},
            )
        )
        found.write(
            model(
                "local/tiny-helium",
                type="TransformersEngine",
                hf_model_id="tests/tiny-helium",
                max_total_tokens=256,
                engine_kwargs={"kv_cache_memory_bytes": 67108864, "revision": "v1"},
                env_vars={"HF_HUB_CACHE": str(root / "hub"), "HF_ENDPOINT": repositories.address},
            )
        )
        found.write(
            model(
                "local/nowhere",
                s3_mirror_config={"bucket_uri": store.uri("models/nowhere")},
                env_vars=bucket(root, store),
            )
        )
        found.first = found.apply()
        (root / "registry" / "local--nowhere.yaml").unlink()
        yield found
        world.apply([])


def test_each_model_that_has_its_weights_serves_and_the_other_says_why_not(served: Served) -> None:
    assert served.first.code == 1, f"{served.first.out}\n{served.first.err}"
    said = served.first.out
    for name in ("local--tiny-chat", "local--tiny-bert", "local--tiny-helium"):
        assert f"{name}: applied" in said
    assert "there is nothing at `s3://weights/models/nowhere`" in said
    assert "correct `bucket_uri`" in said
    assert served.world.state().application("local--nowhere") is None


def test_the_mirror_is_in_the_cache_as_the_documents_say(served: Served) -> None:
    folder = served.root / "hub" / "models--local--tiny-chat"
    assert (folder / "refs" / "main").read_text() == HASH
    assert (folder / "snapshots" / HASH / "model.safetensors").is_file()


def test_a_replica_says_what_it_runs(served: Served) -> None:
    about = served.about(CHAT)
    assert about["weights"] == {"source": "s3://weights/models/tiny-chat", "revision": HASH}
    assert about["vllm"] and about["ray"]
    assert about["adapters"]["fr"]["state"] == "loaded"
    assert served.about("local/tiny-helium")["weights"] == {"source": "tests/tiny-helium", "revision": COMMIT}


def test_an_adapter_changes_the_answer_and_leaves_the_model_alone(served: Served) -> None:
    base = served.text(CHAT)
    assert served.text(f"{CHAT}:fr") != base
    assert served.text(CHAT) == base


def test_adapters_below_the_path_are_found_by_their_names(served: Served) -> None:
    answers = {name: served.text(name) for name in (CHAT, f"{CHAT}:fr", f"{CHAT}:de", f"{CHAT}:team:sql")}
    assert len(set(answers.values())) == 4
    listed = {entry["id"]: entry for entry in served.http.get("/v1/models").json()["data"]}
    assert set(answers) <= listed.keys()
    assert listed[f"{CHAT}:fr"]["metadata"]["description"] == "French"
    assert listed[f"{CHAT}:de"]["parent"] == CHAT
    # No more than two of them are kept; the ones named in the file are not among those.
    served.store.put_folder(served.root / "lora" / "fr", "adapters/again")
    assert served.text(f"{CHAT}:again") == answers[f"{CHAT}:fr"]
    assert set(served.about(CHAT)["adapters"]) == {"fr", "team:sql", "again"}
    assert served.text(f"{CHAT}:de") == answers[f"{CHAT}:de"]


def test_an_adapter_that_nobody_has_is_a_404_at_once(served: Served) -> None:
    begun = time.monotonic()
    response = served.complete(f"{CHAT}:nobody")
    assert response.status_code == 404
    assert response.json()["error"] == {
        "message": f"There is no model `{CHAT}:nobody`: `{CHAT}` has no such adapter",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
    assert time.monotonic() - begun < 10


def test_adapters_are_added_replaced_and_removed_without_a_restart(served: Served) -> None:
    before, base = served.replica_ids("local--tiny-chat"), served.text(CHAT)
    fr, sql = served.text(f"{CHAT}:fr"), served.text(f"{CHAT}:team:sql")
    local = {"id": "fr", "source": str(served.root / "lora" / "fr")}
    added = {"id": "own", "source": served.store.uri("adapters/team:sql"), "aliases": ["own-sql"]}

    ran = served.adapters(local, added)
    assert ran.code == 0, ran
    assert "in place" in ran.out and "same replicas" in ran.out
    assert served.text(f"{CHAT}:own") == sql
    assert served.complete("own-sql").json()["choices"][0]["text"] == sql
    assert served.text(f"{CHAT}:fr") == fr

    # Another one under the same name: nothing that was computed with the first is used for it.
    ran = served.adapters({**local, "source": served.store.uri("adapters/de")}, added)
    assert ran.code == 0, ran
    assert served.text(f"{CHAT}:fr") == served.text(f"{CHAT}:de") != fr

    ran = served.adapters(added)
    assert ran.code == 0, ran
    assert served.complete(f"{CHAT}:fr").status_code == 404
    assert served.text(f"{CHAT}:own") == sql

    assert served.text(CHAT) == base
    assert served.replica_ids("local--tiny-chat") == before


def test_an_adapter_that_the_engine_refuses_goes_back_alone(served: Served) -> None:
    before = served.replica_ids("local--tiny-chat")
    own = {"id": "own", "source": served.store.uri("adapters/team:sql"), "aliases": ["own-sql"]}
    wide = adapter(served.root / "lora" / "wide", seed=4, rank=16)
    ran = served.adapters(own, {"id": "wide", "source": str(wide)})
    assert ran.code == 1, ran
    assert "the adapter has the rank 16, and the engine was started for less" in ran.out
    assert "raise `max_lora_rank`" in ran.out
    assert served.replica_ids("local--tiny-chat") == before
    assert served.text(f"{CHAT}:own")
    assert served.adapters(own).code == 0


def test_a_request_outlives_its_adapter(served: Served) -> None:
    own = {"id": "own", "source": served.store.uri("adapters/team:sql"), "aliases": ["own-sql"]}
    body = {"model": f"{CHAT}:own", "prompt": "abc", "temperature": 0, "max_tokens": 200, "stream": True}
    with served.http.stream("POST", "/v1/completions", json=body) as response:
        lines = response.iter_lines()
        first = next(line for line in lines if line)
        assert served.adapters().code == 0
        rest = [line.removeprefix("data: ") for line in lines if line]
    assert rest.pop() == "[DONE]"
    pieces = [json.loads(line)["choices"][0]["text"] for line in (first.removeprefix("data: "), *rest)]
    assert len("".join(pieces)) == 200
    assert served.complete(f"{CHAT}:own").status_code == 404
    assert served.adapters(own).code == 0


def test_vectors_are_those_of_transformers(served: Served) -> None:
    response = served.http.post("/v1/embeddings", json={"model": "local/tiny-bert", "input": list(TEXTS)})
    assert response.status_code == 200, response.text
    vectors = [entry["embedding"] for entry in response.json()["data"]]
    assert difference(vectors, served.expected["bert"]["MEAN"]) < TOLERANCE
    # The two ways of pooling are told apart by far more than that.
    assert difference(vectors, served.expected["bert"]["CLS"]) > 0.01


def test_scores_are_those_of_the_vectors(served: Served) -> None:
    body = {"model": "local/tiny-bert", "text_1": TEXTS[0], "text_2": list(TEXTS[1:])}
    response = served.http.post("/v1/score", json=body)
    assert response.status_code == 200, response.text
    first, *others = served.expected["bert"]["MEAN"]
    wanted = [sum(a * b for a, b in zip(first, other, strict=True)) for other in others]
    scores = [entry["score"] for entry in response.json()["data"]]
    assert max(abs(score - value) for score, value in zip(scores, wanted, strict=True)) < TOLERANCE


def test_an_architecture_that_only_transformers_has_answers_as_transformers_does(served: Served) -> None:
    for prompt, wanted in zip(PROMPTS, served.expected["helium"], strict=True):
        answer = served.text("local/tiny-helium", prompt)
        assert len(answer) == NEW_TOKENS
        assert answer == wanted

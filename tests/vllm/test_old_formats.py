"""Models written in three old formats are deployed and answer, their weights replaced by the tiny model's."""

from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest
import yaml
from tokenizers import Tokenizer

from reconciler.registry.cluster import Cluster
from reconciler.registry.model_file import read_model
from reconciler.registry.registry import ClusterEntry, ModelEntry, Registry
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.local.tokenizer import BOS_ID
from reconciler.serve.packages import resolve_packages
from reconciler.serve.rest import RestClient
from reconciler.state.desired import desired_state
from tests.support.original_prompts import aviary_prompt
from tests.support.tokenizers import write_tokenizer
from tests.support.world import World

pytestmark = pytest.mark.vllm

AVIARY = """\
deployment_config:
  autoscaling_config: {min_replicas: 1, initial_replicas: 1, max_replicas: 8}
  ray_actor_options:
    resources: {instance_type_m5: 0.01}
model_config:
  model_id: era/aviary
  batching: static
  initialization:
    initializer: {type: SingleDevice, dtype: float32}
    pipeline: transformers
  generation:
    max_batch_size: 4
    generate_kwargs: {do_sample: false, max_new_tokens: 8}
    prompt_format:
      system: "{instruction}\\n"
      assistant: "### Response:\\n{instruction}\\n"
      trailing_assistant: "### Response:\\n"
      user: "### Instruction:\\n{instruction}\\n"
      default_system_message: "Answer the request."
    stopping_sequences: ["### Response:", "### End"]
scaling_config: {num_workers: 1, num_gpus_per_worker: 1, num_cpus_per_worker: 4}
"""
TGI = """\
deployment_config:
  autoscaling_config: {min_replicas: 1, max_replicas: 2, target_num_ongoing_requests_per_replica: 4.0}
  max_concurrent_queries: 8
  ray_actor_options: {num_cpus: 1}
engine_config:
  type: TextGenerationInferenceEngine
  model_id: era/tgi
  scheduler:
    policy:
      type: QuotaBasedTaskSelectionPolicy
      max_batch_prefill_tokens: 1024
      max_total_tokens: 512
  generation:
    generate_kwargs: {temperature: 0.0, max_new_tokens: 8}
    prompt_format:
      system: "<<SYS>>{instruction}<</SYS>>"
      assistant: "{instruction}</s>"
      trailing_assistant: ""
      user: "[INST]{instruction}[/INST]"
    stopping_sequences: []
scaling_config: {num_workers: 1, num_gpus_per_worker: 1, num_cpus_per_worker: 4}
"""
TOKENIZERS = {"era--aviary.yaml": "adds-bos", "era--tgi.yaml": "has-bos", "era--llm-config.yaml": "has-bos"}
CONVERSATION = [
    {"role": "system", "content": "Be brief. "},
    {"role": "user", "content": " Hello "},
    {"role": "assistant", "content": "Hi"},
    {"role": "user", "content": "And now?"},
]
LLM_CONFIG = """\
model_loading_config:
  model_id: era/llm-config
  model_source: era/llm-config
llm_engine: vLLM
accelerator_type: L4
deployment_config:
  autoscaling_config: {min_replicas: 1, max_replicas: 2}
engine_kwargs: {max_model_len: 512}
"""


def tiny(text: str, name: str, tokenizer: str) -> ModelEntry:
    """The model in the file, with the tiny model's weights, on CPUs."""
    found = read_model(name, dedent(text).encode())
    assert found.entry is not None, found.diagnostics
    spec = found.entry.spec
    engine = spec.engine_config
    kwargs = {**engine.engine_kwargs, "dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 67108864}
    env_vars = {"HF_HUB_OFFLINE": "1", "TORCHDYNAMO_DISABLE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    engine = engine.model_copy(
        update={
            "hf_model_id": "${env:RECONCILER_LOCAL_MODELS}/tiny-chat",
            "tokenizer_id": f"${{env:RECONCILER_LOCAL_MODELS}}/{tokenizer}",
            "engine_kwargs": kwargs,
            "runtime_env": engine.runtime_env.model_copy(update={"env_vars": env_vars}),
        }
    )
    scaling = spec.scaling_config.model_copy(
        update={"num_gpus_per_worker": 0.0, "num_cpus_per_worker": 0.5, "resources_per_worker": {}, "bundles": None}
    )
    options = spec.deployment_config.ray_actor_options.model_copy(update={"num_cpus": 0.5, "resources": {}})
    deployment = spec.deployment_config.model_copy(update={"ray_actor_options": options})
    spec = spec.model_copy(update={"engine_config": engine, "scaling_config": scaling, "deployment_config": deployment})
    return replace(found.entry, spec=spec)


def assert_prompts_are_the_original_ones(http: httpx.Client, name: str, file: str, tokenizer: Path) -> None:
    """Every endpoint that takes a conversation makes the tokens of it that Aviary made."""
    document = yaml.safe_load(file)
    section = document.get("model_config") or document["engine_config"]
    prompt = aviary_prompt(section["generation"]["prompt_format"], CONVERSATION)
    original = Tokenizer.from_file(str(tokenizer / "tokenizer.json")).encode(prompt).ids
    assert (original[0] == BOS_ID) == (TOKENIZERS[name] == "adds-bos")
    asked = {"model": section["model_id"], "messages": CONVERSATION}

    def answer(path: str, **fields: Any) -> Any:
        response = http.post(path, json={**asked, **fields})
        assert response.status_code == 200, response.text
        return response.json()

    assert answer("/v1/chat/completions", max_tokens=1, return_token_ids=True)["prompt_token_ids"] == original
    assert answer("/tokenize")["tokens"] == original
    response = answer("/v1/responses", messages=None, input=CONVERSATION, max_output_tokens=16)
    assert response["usage"]["input_tokens"] == len(original)
    system, *others = CONVERSATION
    counted = answer("/v1/messages/count_tokens", messages=others, system=system["content"])
    assert counted["input_tokens"] == len(original)


def test_a_model_of_each_era_is_deployed_and_answers(ray_cluster: LocalCluster, client: RestClient) -> None:
    folder = ray_cluster.models_directory
    # One that puts a BOS token in front of each text, one that has such a token and does not.
    for kind in TOKENIZERS.values():
        if not (folder / kind).is_dir():
            write_tokenizer(kind, folder / kind)
    files = {"era--aviary.yaml": AVIARY, "era--tgi.yaml": TGI, "era--llm-config.yaml": LLM_CONFIG}
    models = tuple(tiny(text, name, TOKENIZERS[name]) for name, text in files.items())
    cluster = ClusterEntry("local", "clusters/local.yaml", Cluster(owner="tests", local=True))
    packages, uploads = resolve_packages(cluster.cluster)
    for package in uploads:
        client.upload_package(package.name, package.content)
    desired = desired_state(Registry(models, (cluster,)), cluster, packages)
    world = World(client, client)
    world.put([dict(entry.application.config) for entry in desired.applications])
    try:
        state = world.settle(300.0)
        assert {entry.name: entry.status for entry in state.applications} == {
            entry.name: "RUNNING" for entry in desired.applications
        }, state.applications
        with httpx.Client(base_url=ray_cluster.gateway_address, timeout=120) as http:
            for model in models:
                body = {
                    "model": model.spec.model_id,
                    "messages": [{"role": "user", "content": "Hello"}],
                    "max_tokens": 4,
                }
                answer = http.post("/v1/chat/completions", json=body)
                assert answer.status_code == 200, answer.text
                assert answer.json()["usage"]["completion_tokens"] == 4
            for name in ("era--aviary.yaml", "era--tgi.yaml"):
                assert_prompts_are_the_original_ones(http, name, files[name], folder / TOKENIZERS[name])
    finally:
        world.apply([])

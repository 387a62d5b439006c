from typing import Any

import pytest
import yaml

from tests.support.golden import assert_golden
from tests.support.imports import imported, rules, text, told

VLLM = "byzerllm deploy --pretrained_model_type custom/auto --infer_backend vllm --model_path /m --model chat "
SAAS = "byzerllm deploy --pretrained_model_type saas/qianwen --model chat --infer_params saas.base_url=http://q "


def test_a_script_with_every_kind_of_command() -> None:
    script = """\
        #!/bin/bash
        export WEIGHTS=/models
        byzerllm undeploy --model chat --force
        byzerllm deploy --pretrained_model_type custom/auto \\
          --infer_backend vllm \\
          --model_path ${WEIGHTS}/chat \\
          --cpus_per_worker 0.001 --gpus_per_worker 2 --num_workers 3 --worker_concurrency 10 \\
          --infer_params backend.max_model_len=8192 backend.enforce_eager=True backend.swap_space=4 \\
          --ray_address 10.0.0.1:6379 --model chat
        byzerllm deploy --pretrained_model_type custom/bge --infer_backend transformers \\
          --model_path /models/bge --model vectors
        byzerllm deploy --pretrained_model_type saas/qianwen --infer_params saas.api_key=${KEY} saas.model=max --model s
        easy-byzerllm deploy gpt --token xxxxx --alias gpt
        byzerllm query --model chat --query 'hello'
        byzerllm stat --model chat
        byzerllm serve --port 80000
        """
    assert_golden("imports/byzer/script.txt", told(imported({"deploy.sh": script})))


def test_the_yaml_of_a_command_comes_before_its_flags() -> None:
    files = {
        "run.sh": "byzerllm deploy --file ./chat.yml --model other --num_workers 2\n",
        "chat.yml": """\
            model: chat
            model_path: ENV {{ WEIGHTS }}
            pretrained_model_type: custom/auto
            infer_backend: vllm
            gpus_per_worker: 1
            infer_params:
              backend.max_model_len: 4096
              backend.trust_remote_code: "true"
            """,
    }
    assert_golden("imports/byzer/file.txt", told(imported(files, "run.sh")))


def test_the_yaml_by_itself_is_a_deployment() -> None:
    files = {"chat.yaml": "model: chat\nmodel_path: /models/chat\ninfer_backend: vllm\ngpus_per_worker: 1\n"}
    found = imported(files)
    assert [file.name for file in found.files] == ["chat.yaml"]
    assert "full_context: true" in text(found)


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        ("byzerllm deploy --infer_backend vllm --model_path /m", "missing-key"),
        (f"{VLLM.replace('--model_path /m', '')}", "missing-key"),
        (VLLM + "--num_wrokers 2", "unknown-key"),
        (VLLM + "--num_workers two", "command-line"),
        (VLLM + "--num_workers", "command-line"),
        (VLLM + "--gpus_per_worker 0.5", "whole-gpus"),
        (VLLM + "--infer_params saas.model=x", "unknown-key"),
        (VLLM + "--infer_params verbose=true", "unknown-key"),
        (VLLM + "--infer_params backend.max_model_len", "command-line"),
        (VLLM + "--infer_params backend.max_model_lne=3", "known-engine-arguments"),
        (VLLM + '--infer_params "backend.max_model_len=\'3"', "command-line"),
        (VLLM + "--infer_params backend.hf_token=abc", "secret-in-clear"),
        (VLLM + "--model_path $(pwd)/m", "command-line"),
        (VLLM + "```", "command-line"),
        (VLLM + "--file gone.yml", "missing-file"),
        (VLLM.replace("vllm", "llama_cpp") + "--infer_params backend.max_model_len=9", "unknown-key"),
        (VLLM.replace("vllm", "llama_cpp") + "--infer_params n_layers=9", "unknown-key"),
        (VLLM.replace("vllm", "llama_cpp") + "--infer_params chat_format=chatml", "unsupported-argument"),
        (VLLM.replace("vllm", "llama_cpp") + "--infer_params type_k=99", "not-a-choice"),
        (VLLM.replace("vllm", "llama_cpp") + "--gpus_per_worker 1.5", "whole-gpus"),
        (VLLM.replace("vllm", "tgi"), "unsupported-backend"),
        (VLLM.replace("custom/auto", "custom/whisper"), "unsupported-model-type"),
        (SAAS.replace("qianwen", "azure"), "unsupported-model-type"),
        (SAAS.replace("qianwen", "nobody"), "unsupported-model-type"),
        (SAAS + "saas.api_key=abc", "secret-in-clear"),
        (SAAS + "saas.temperature=1", "unknown-key"),
        (SAAS + "saas.timeout=long", "command-line"),
        (SAAS + "backend.max_model_len=9", "unknown-key"),
        (SAAS.replace("qianwen", "siliconflow") + "saas.api_key=${K}", "missing-key"),
        (SAAS.replace("qianwen", "azure_openai").replace("saas.base_url=http://q", "saas.model=m"), "saas-address"),
        ("easy-byzerllm deploy --token ${K}", "missing-key"),
        ("byzerllm deplyo --model x", "command-line"),
        ("byzerllm deploy", "missing-key"),
    ],
)
def test_a_command_that_cannot_be_carried_is_refused_at_its_line(command: str, rule: str) -> None:
    found = imported({"run.sh": f"#!/bin/sh\n{command}\n"})
    assert (2, rule) in rules(found)
    assert found.refused
    assert found.files == ()


def saas_of(command: str) -> dict[str, Any]:
    """The engine section of the only file that a command becomes."""
    found = imported({"run.sh": f"{command}\n"})
    assert not found.refused, told(found)
    engine = yaml.safe_load(text(found))["engine_config"]
    assert engine["type"] == "SaaSEngine"
    return dict(engine["saas"])


@pytest.mark.parametrize(
    ("kind", "parameters", "expected"),
    [
        ("openai", "saas.model=gpt", {"provider": "openai", "model": "gpt"}),
        ("official_openai", "", {"provider": "openai", "model": "gpt-3.5-turbo-1106"}),
        (
            "openai",
            "saas.base_url=http://h:1/v1/ saas.model=llama3:70b saas.timeout=30 saas.max_retries=4",
            {
                "provider": "openai_compatible",
                "base_url": "http://h:1/v1",
                "model": "llama3:70b",
                "timeout_s": 30,
                "retries": 4,
            },
        ),
        ("qianwen_vl", "", {"provider": "dashscope", "model": "qwen-vl-plus"}),
        ("chatglm", "saas.model=glm-4", {"provider": "zhipu", "model": "glm-4"}),
        ("sparkdesk", "saas.domain=4.0Ultra saas.appid=x", {"provider": "sparkdesk", "model": "4.0Ultra"}),
        ("claude", "", {"provider": "anthropic", "model": "claude-3-haiku-20240307"}),
        (
            "azure_openai",
            "saas.azure_endpoint=https://r.openai.azure.com/ saas.azure_deployment=d saas.api_version=2024-02-01",
            {"provider": "azure_openai", "base_url": "https://r.openai.azure.com/openai/v1", "model": "d"},
        ),
        (
            "aws_bedrock",
            "saas.aws_access_key=${A} saas.aws_secret_key=${S} saas.region_name=eu-west-1 saas.model=m",
            {
                "provider": "aws_bedrock",
                "model": "m",
                "options": {
                    "aws_access_key_id": "${env:A}",
                    "aws_secret_access_key": "${env:S}",
                    "aws_region_name": "eu-west-1",
                },
            },
        ),
    ],
)
def test_each_service_is_one_of_today(kind: str, parameters: str, expected: dict[str, Any]) -> None:
    given = f"--infer_params saas.api_key=${{KEY}} {parameters}"
    assert saas_of(f"byzerllm deploy --pretrained_model_type saas/{kind} --model chat {given}") == {
        "api_key": "${env:KEY}",
        **expected,
    }


def test_workers_of_a_service_are_replicas_with_their_own_concurrency() -> None:
    command = SAAS + "--num_workers 3 --worker_concurrency 10 --cpus_per_worker 0.001 --gpus_per_worker 0"
    document = yaml.safe_load(text(imported({"run.sh": f"{command}\n"})))
    assert document["deployment_config"] == {
        "autoscaling_config": {"min_replicas": 3, "max_replicas": 3, "target_ongoing_requests": 4},
        "max_ongoing_requests": 10,
        "ray_actor_options": {"num_cpus": 0.001},
    }
    assert "scaling_config" not in document
    alone = yaml.safe_load(text(imported({"run.sh": f"{SAAS}\n"})))["deployment_config"]
    assert (alone["max_ongoing_requests"], alone["ray_actor_options"]["num_cpus"]) == (1, 0.01)


def test_what_a_service_has_no_use_for_is_left_out() -> None:
    found = imported({"run.sh": SAAS + "--gpus_per_worker 1 --model_path /m --infer_backend vllm\n"})
    assert rules(found) == [(1, "left-out")] * 3
    assert not found.refused


def test_an_easy_deployment_is_a_service_too() -> None:
    command = "easy-byzerllm deploy deepseek-chat --token ${T} --alias ds --base_url https://api.deepseek.com/v1"
    found = imported({"run.sh": f"{command}\n"})
    assert [file.name for file in found.files] == ["ds.yaml"]
    document = yaml.safe_load(text(found))
    assert document["engine_config"]["saas"] == {
        "provider": "openai_compatible",
        "base_url": "https://api.deepseek.com/v1",
        "model": "deepseek-chat",
        "api_key": "${env:T}",
    }
    assert document["deployment_config"]["max_ongoing_requests"] == 1000
    plain = yaml.safe_load(text(imported({"run.sh": "easy-byzerllm deploy gpt-4 --token ${T}\n"})))
    assert (plain["engine_config"]["model_id"], plain["engine_config"]["saas"]["provider"]) == ("gpt-4", "openai")


def test_a_gguf_file_is_llama_cpp_s() -> None:
    command = (
        "byzerllm deploy --pretrained_model_type custom/auto --infer_backend llama_cpp --worker_concurrency 10 "
        "--infer_params verbose=true n_ctx=4096 n_gpu_layers=20 n_threads=8 type_k=8 use_mlock=true flash_attn=true "
        "tensor_split=1,2.5 offload_kqv=false seed=3 --gpus_per_worker 0.5 --model_path /m/chat.Q4.gguf --model chat"
    )
    found = imported({"run.sh": f"{command}\n"})
    assert not found.refused, told(found)
    document = yaml.safe_load(text(found))
    engine = document["engine_config"]
    assert (engine["type"], engine["hf_model_id"]) == ("LlamaCppEngine", "/m/chat.Q4.gguf")
    assert engine["max_total_tokens"] == 4096
    assert engine["engine_kwargs"] == {
        "n_parallel": 1,
        "n_gpu_layers": 20,
        "cpuparams": {"n_threads": 8},
        "cache_type_k": "q8_0",
        "load_mode": "mmap_mlock",
        "flash_attn_type": "enabled",
        "tensor_split": [1.0, 2.5],
        "no_kv_offload": True,
    }
    assert document["deployment_config"]["max_ongoing_requests"] == 10
    assert document["scaling_config"]["num_gpus_per_worker"] == 0.5


def test_a_gguf_file_without_parameters_has_their_defaults() -> None:
    found = imported({"run.sh": VLLM.replace("vllm", "llama_cpp") + "\n"})
    engine = yaml.safe_load(text(found))["engine_config"]
    assert (engine["max_total_tokens"], engine["engine_kwargs"]) == (512, {"n_parallel": 1})
    whole = imported({"run.sh": VLLM.replace("vllm", "llama_cpp") + "--infer_params n_ctx=0\n"})
    assert yaml.safe_load(text(whole))["engine_config"]["full_context"] is True


def test_transformers_is_vllm_with_its_implementation() -> None:
    found = imported({"run.sh": VLLM.replace("vllm", "transformers") + "--gpus_per_worker 1\n"})
    engine = yaml.safe_load(text(found))["engine_config"]
    assert engine["type"] == "TransformersEngine"
    assert "type: EmbeddingEngine" in text(
        imported({"run.sh": VLLM.replace("vllm", "transformers").replace("custom/auto", "custom/bge") + "\n"})
    )


def test_a_secret_in_clear_is_told_and_never_echoed() -> None:
    found = imported({"run.sh": "easy-byzerllm deploy gpt --token s3cr3t-v4lue\n"})
    assert (1, "secret-in-clear") in rules(found)
    assert "s3cr3t-v4lue" not in told(found)


def test_a_variable_stays_a_reference() -> None:
    found = imported({"run.sh": VLLM + "--infer_params backend.hf_token=${HF}\n"})
    assert "hf_token: ${env:HF}" in text(found)


def test_flags_may_be_shortened_and_repeated() -> None:
    found = imported({"run.sh": VLLM + "--gpus 4 --num_workers=2 --num_workers 3\n"})
    assert rules(found) == [(1, "given-twice")]
    assert "num_workers: 4" in text(found)
    assert "min_replicas: 3" in text(found)


def test_two_deployments_of_one_name_are_not_both_imported() -> None:
    found = imported({"run.sh": f"{VLLM}--gpus_per_worker 1\n{VLLM}--gpus_per_worker 2\n"})
    assert rules(found) == [(2, "described-twice")]
    assert "num_workers: 1" in text(found)


def test_every_argument_has_exactly_one_fate() -> None:
    found = imported(
        {"run.sh": VLLM + "--gpus_per_worker 1 --infer_params backend.max_model_len=9 backend.dtype=half\n"}
    )
    paths = [fate.path for fate in found.fates]
    assert len(paths) == len(set(paths)) == 7

import pytest

from tests.support.golden import assert_golden
from tests.support.imports import imported, rules, text, told

VLLM = "byzerllm deploy --pretrained_model_type custom/auto --infer_backend vllm --model_path /m --model chat "


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
        (VLLM.replace("vllm", "llama_cpp"), "unsupported-backend"),
        (VLLM.replace("vllm", "tgi"), "unsupported-backend"),
        (VLLM.replace("custom/auto", "custom/whisper"), "unsupported-model-type"),
        (VLLM.replace("custom/auto", "saas/openai"), "unsupported-model-type"),
        ("byzerllm deplyo --model x", "command-line"),
        ("byzerllm deploy", "missing-key"),
    ],
)
def test_a_command_that_cannot_be_carried_is_refused_at_its_line(command: str, rule: str) -> None:
    found = imported({"run.sh": f"#!/bin/sh\n{command}\n"})
    assert (2, rule) in rules(found)
    assert found.refused
    assert found.files == ()


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

"""`reconcile import`, against files and a cluster in memory."""

from pathlib import Path

import pytest

from tests.support.cli import CLUSTER, run, write_registry
from tests.support.fake_serve import FakeServe
from tests.support.golden import assert_golden

CONFIG = """\
applications:
- name: llm
  route_prefix: /
  import_path: ray.serve.llm:build_openai_app
  args:
    llm_configs:
    - model_loading_config: {model_id: acme/chat, model_source: acme/chat-weights}
      accelerator_type: L4
      engine_kwargs: {max_model_len: 4096}
      deployment_config: {max_ongoing_requests: 32, autoscaling_config: {max_replicas: 2, target_ongoing_requests: 12}}
"""

RICH = """\
engine_config:
  model_id: acme/rich
  hf_model_id: ${env:WEIGHTS}/rich
  tokenizer_id: acme/tokenizer
  model_description: "Everything: at once"
  model_url: https://example.com/rich
  aliases: [rich, z-rich]
  max_total_tokens: 4096
  engine_kwargs:
    max_num_seqs: 8
    pipeline_parallel_size: 2
  runtime_env:
    env_vars:
      TOKENIZERS_PARALLELISM: "false"
      CACHE: ${env:HOME}/cache
    pip: [einops]
  generation:
    generate_kwargs: {temperature: 0.5, max_tokens: 64}
    stopping_sequences: ["### End", 50256, "1e3"]
    prompt_format:
      system: "<s>{instruction}\\n"
      assistant: "{instruction}</s>"
      trailing_assistant: "\\n"
      user: "[{system}{instruction}]"
      system_in_user: true
deployment_config:
  max_ongoing_requests: 16
  max_queued_requests: 100
  graceful_shutdown_timeout_s: 30.5
  autoscaling_config: {min_replicas: 1, max_replicas: 2, target_ongoing_requests: 6.5, upscaling_factor: 0.5}
  ray_actor_options: {num_cpus: 0.5, resources: {"accelerator_type:L4": 0.001}}
scaling_config:
  num_workers: 4
  num_gpus_per_worker: 1
  num_cpus_per_worker: 2
  placement_strategy: STRICT_PACK
  resources_per_worker: {"accelerator_type:L4": 0.001}
rollout:
  protect: true
"""

EMBEDDING = """\
engine_config:
  type: EmbeddingEngine
  model_id: acme/vectors
  s3_mirror_config:
    bucket_uri: s3://models/vectors
    extra_files: [{bucket_uri: "s3://x/y", destination_path: vocabulary}]
scaling_config:
  num_workers: 2
  num_gpus_per_worker: 0
  num_cpus_per_worker: 0.5
"""

FULL = """\
engine_config:
  model_id: acme/full
  full_context: true
scaling_config:
  num_workers: 2
  bundles:
    - {CPU: 1, GPU: 1}
    - {GPU: 1}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "serve.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def serve() -> FakeServe:
    return FakeServe({"node-1": {"CPU": 64.0, "GPU": 16.0, "accelerator_type:L4": 1.0}})


def registry_with_models(folder: Path) -> dict[str, str]:
    write_registry(folder / "registry", "chat")
    models = {"acme--rich.yaml": RICH, "acme--vectors.yaml": EMBEDDING, "acme--full.yaml": FULL}
    for name, text in models.items():
        (folder / "registry" / name).write_text(text)
    return models


def test_a_config_becomes_files_that_validate(folder: Path) -> None:
    write_registry(folder / "registry")
    ran = run("import", "serve.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert_golden("imports/cli/serve-config.txt", ran.out + (folder / "registry/acme--chat.yaml").read_text())
    assert run("validate", "--strict").out == "No problems in 1 model, 1 cluster\n"


def test_importing_again_changes_nothing(folder: Path) -> None:
    run("import", "serve.yaml")
    ran = run("import", "serve.yaml")
    assert ran.code == 0
    assert ran.out.startswith("unchanged  registry/acme--chat.yaml")


def test_no_file_is_overwritten(folder: Path) -> None:
    file = folder / "registry" / "acme--chat.yaml"
    file.parent.mkdir()
    file.write_text("# mine\n")
    ran = run("import", "serve.yaml")
    assert ran.code == 1
    assert file.read_text() == "# mine\n"
    assert "registry/acme--chat.yaml:1:1: error[file-exists]" in ran.err
    assert ran.out.startswith("not written  registry/acme--chat.yaml")


def test_a_model_that_has_a_file_of_another_name_gets_no_second_one(folder: Path) -> None:
    write_registry(folder / "registry", "chat")
    (folder / "registry/acme--chat.yaml").rename(folder / "registry/acme--chat-l4.yaml")
    ran = run("import", "serve.yaml")
    assert ran.code == 1
    assert "registry/acme--chat-l4.yaml:1:1: error[file-exists]: the registry has the model `acme/chat`" in ran.err
    assert not (folder / "registry/acme--chat.yaml").exists()


def test_a_dry_run_writes_nothing_and_shows_the_file(folder: Path) -> None:
    ran = run("import", "--dry-run", "--into", "elsewhere", "serve.yaml")
    assert ran.code == 0
    assert not (folder / "elsewhere").exists()
    assert ran.out.startswith("would write  elsewhere/acme--chat.yaml  from serve.yaml:7\n")
    assert "  hf_model_id: acme/chat-weights\n" in ran.out


def test_nothing_to_import_is_a_failure(folder: Path) -> None:
    (folder / "other.yaml").write_text("answer: 42\n")
    ran = run("import", "other.yaml")
    assert ran.code == 1
    assert "other.yaml:1:1: error[no-model]: nothing here describes a model" in ran.err
    assert ran.out == "0 files written\n"


@pytest.mark.parametrize("arguments", [("live", "serve.yaml"), ("serve.yaml", "--cluster", "test"), ("registry",)])
def test_wrong_usage(folder: Path, arguments: tuple[str, ...]) -> None:
    (folder / "registry").mkdir()
    assert run("import", *arguments).code == 64


def test_after_the_import_of_what_we_own_the_next_plan_is_empty(folder: Path, serve: FakeServe) -> None:
    models = registry_with_models(folder)
    assert run("apply", "--auto-approve", serve=serve).code == 0
    for name in models:
        (folder / "registry" / name).unlink()
    before = serve.live_state()
    ran = run("import", "live", serve=serve)
    assert (ran.code, ran.err) == (0, "")
    assert_golden("imports/cli/live.txt", ran.out)
    for name in models:
        assert_golden(f"imports/live/{name}", (folder / "registry" / name).read_text())
    assert "nothing to do" in run("plan", serve=serve).out.lower()
    assert serve.live_state() == before


def test_what_has_its_file_stays_untouched(folder: Path, serve: FakeServe) -> None:
    registry_with_models(folder)
    run("apply", "--auto-approve", serve=serve)
    before = {path.name: path.read_text() for path in (folder / "registry").glob("*.yaml")}
    ran = run("import", "live", serve=serve)
    assert ran.code == 0
    assert {path.name: path.read_text() for path in (folder / "registry").glob("*.yaml")} == before
    assert ran.out.endswith("0 files written\n")


def test_what_others_run_is_imported_or_said_to_be_impossible(folder: Path, serve: FakeServe) -> None:
    write_registry(folder / "registry")
    llm = {
        "name": "llm",
        "route_prefix": "/llm",
        "import_path": "ray.serve.llm:build_openai_app",
        "args": {
            "llm_configs": [
                {
                    "model_loading_config": {"model_id": "acme/chat", "model_source": "acme/weights"},
                    "engine_kwargs": {"max_model_len": 4096},
                    "deployment_config": {"max_ongoing_requests": 8},
                }
            ]
        },
        "runtime_env": {"env_vars": {"HF_TOKEN": "a-literal"}},
        "deployments": [
            {
                "name": "LLMServer:acme--chat",
                "max_ongoing_requests": 16,
                "autoscaling_config": {"min_replicas": 1, "max_replicas": 3, "target_ongoing_requests": 6},
            }
        ],
    }
    applications = [
        llm,
        {"name": "fruit", "route_prefix": "/fruit", "import_path": "fruit:app"},
        {
            "name": "paths",
            "route_prefix": "/p",
            "import_path": "rayllm:app",
            "args": {"llm_configs": ["/models/x.yaml"]},
        },
        {"name": "theirs", "route_prefix": "/t", "import_path": "runtime.engine:build", "args": {"owner": "team-b"}},
    ]
    serve.intrude({"applications": applications})
    serve.run_imperatively({"name": "scripted", "route_prefix": "/s", "import_path": "s:app"})
    serve.settle()
    ran = run("import", "live", serve=serve)
    assert ran.code == 1
    assert "a-literal" not in ran.out + ran.err + (folder / "registry/acme--chat.yaml").read_text()
    assert_golden("imports/cli/live-others.txt", ran.out + ran.err)
    assert_golden("imports/live/acme--chat.yaml", (folder / "registry/acme--chat.yaml").read_text())


def test_another_cluster_than_the_default_is_written_in_the_file(folder: Path, serve: FakeServe) -> None:
    registry_with_models(folder)
    run("apply", "--auto-approve", serve=serve)
    for file in (folder / "registry").glob("*.yaml"):
        file.unlink()
    other = CLUSTER.replace("owner: test", "owner: other").replace("ray.example", "other.example")
    (folder / "registry/clusters/default.yaml").write_text(other)
    text = CLUSTER.replace("default: true", "default: false")
    (folder / "registry/clusters/test.yaml").write_text(text)
    ran = run("import", "live", "--cluster", "test", serve=serve)
    assert ran.code == 0
    assert "\nclusters:\n  - test\n" in (folder / "registry/acme--rich.yaml").read_text()

import pytest

from reconciler.registry.dialects.translation import Fate
from reconciler.registry.model_file import read_model
from tests.support.golden import assert_golden
from tests.support.imports import imported, rules, text, told

RAYLLM = """\
deployment_config:
  max_concurrent_queries: 32
  autoscaling_config: {min_replicas: 1, max_replicas: 2, target_num_ongoing_requests_per_replica: 12}
engine_config:
  type: VLLMEngine
  model_id: acme/chat
  generation:
    prompt_format:
      system: "{instruction}"
      assistant: "{instruction}"
      trailing_assistant: ""
      user: "{instruction}"
scaling_config:
  num_workers: 1
"""

BUILT = """\
proxy_location: EveryNode
applications:
- name: llm
  route_prefix: /
  import_path: ray.serve.llm:build_openai_app
  runtime_env:
    working_dir: s3://code/app.zip
    env_vars:
      HF_TOKEN: not-for-the-registry
      CACHE: ${HOME}/cache
  args:
    llm_configs:
    - model_loading_config:
        model_id: acme/chat.1
      engine_kwargs:
        max_model_len: 4096
      deployment_config:
        max_ongoing_requests: 8
    - ./other.yaml
    ingress_deployment_config: {num_replicas: 2}
  deployments:
  - name: LLMServer:acme--chat_1
    max_ongoing_requests: 16
    autoscaling_config: {max_replicas: 2, target_ongoing_requests: 6}
  - name: OpenAiIngress
    num_replicas: 2
  - name: LLMServer:gone
    num_replicas: 2
- name: fruit
  import_path: fruit:app
  args: {size: 3}
"""

OTHER = """\
model_loading_config:
  model_id: acme/other
engine_kwargs: {max_model_len: 1024}
deployment_config: {max_ongoing_requests: 8, autoscaling_config: {target_ongoing_requests: 3}}
"""


def test_an_application_of_ray_serve_llm() -> None:
    found = imported({"serve.yaml": BUILT, "other.yaml": OTHER}, "serve.yaml")
    assert_golden("imports/serve-config/llm.txt", told(found))
    assert "not-for-the-registry" not in told(found)


ROUTERS = {
    "aviary.backend:router_application": "args: {args: [./chat.yaml]}",
    "rayllm.backend:router_application": "args: {models: [./chat.yaml]}",
    "aviary_private_endpoints.backend.server.run:router_application": "args: {vllm_base_models: ./chat.yaml}",
    "aviary.backend:llm_application": "args: {model: ./chat.yaml}",
    "rayllm:app": "args: {llm_configs: [./chat.yaml]}",
}


@pytest.mark.parametrize("import_path", ROUTERS)
def test_the_router_of_every_era(import_path: str) -> None:
    config = f"applications:\n- name: a\n  import_path: {import_path}\n  {ROUTERS[import_path]}\n"
    found = imported({"serve.yaml": config, "chat.yaml": RAYLLM}, "serve.yaml")
    assert [file.name for file in found.files] == ["acme--chat.yaml"]
    assert not found.refused
    assert "# Imported from chat.yaml\n# for serve.yaml:" in text(found)


def test_an_anyscale_service_of_aviary_and_its_router() -> None:
    service = """\
        name: endpoints
        ray_serve_config:
          applications:
          - name: router
            import_path: aviary.backend:router_application
            args: {models: {acme/chat: ./chat.yaml}}
          - name: acme--chat
            import_path: aviary.backend:llm_application
            args: {model: ./chat.yaml}
            runtime_env: {env_vars: {HUGGING_FACE_HUB_TOKEN: "UPDATE HERE"}}
        """
    assert_golden(
        "imports/serve-config/service.txt", told(imported({"s.yaml": service, "chat.yaml": RAYLLM}, "s.yaml"))
    )


def config(arguments: str) -> str:
    return f"applications:\n- import_path: rayllm.backend:router_application\n  args: {arguments}\n"


@pytest.mark.parametrize(
    ("serve", "expected"),
    [
        ("applications: []\n", (1, "no-model")),
        ("applications: 3\n", (1, "no-model")),
        ("applications:\n- 3\n", (2, "no-model")),
        ("applications:\n- import_path: a:b\n  args: {models: [x]}\n", (2, "no-model")),
        (config("{models: []}"), (3, "no-model")),
        (config("{}"), (3, "no-model")),
        (config("{models: [./gone.yaml]}"), (3, "missing-file")),
        (config("{models: [3]}"), (3, "wrong-type")),
        (config("{modles: [./chat.yaml]}"), (3, "unknown-key")),
        (config("{models: [{engine_config: {}}]}"), (3, "missing-key")),
        ("routes: []\napplications: []\n", (1, "unknown-key")),
    ],
)
def test_what_brings_no_model_is_refused_at_its_line(serve: str, expected: tuple[int, str]) -> None:
    found = imported({"serve.yaml": serve})
    assert expected in rules(found)
    assert found.refused
    assert found.files == ()


def test_a_model_may_be_text_or_stand_in_the_config() -> None:
    inline = config("\n    models:\n    - |\n" + "".join(f"      {line}\n" for line in RAYLLM.splitlines()))
    assert [file.model_id for file in imported({"serve.yaml": inline}).files] == ["acme/chat"]
    found = imported(
        {"serve.yaml": config("{models: [{engine_config: {model_id: acme/x, model_type: text-generation}}]}")}
    )
    assert rules(found)[0][0] == 3


ANYSCALE = """\
engine_config:
  type: VLLMEngine
  model_id: acme/chat
  engine_kwargs: {enable_lora: true}
  generation:
    prompt_format: {system: "{instruction}", assistant: "{instruction}", trailing_assistant: "", user: "{instruction}"}
scaling_config: {num_workers: 1}
multiplex_config: {max_num_models_per_replica: 24}
deployment_config: {max_concurrent_queries: 32, autoscaling_config: {min_replicas: 1, max_replicas: 2}}
"""
ADAPTER = """\
base_model_id: acme/chat
model_id: acme/chat:sql:a1
generation: {stopping_sequences: [FIN]}
lora_mirror_config: {bucket_uri: s3://lora/sql}
"""
OTHER_ADAPTER = """\
base_model_id: acme/chat
model_id: acme/french.v2
generation: {prompt_format: {system: "{instruction}"}}
lora_mirror_config: {bucket_uri: gs://lora/french, s3_sync_args: [--quiet]}
"""


def test_adapters_become_entries_of_their_model() -> None:
    arguments = (
        "{multiplex_models: [./chat.yaml], multiplex_lora_adapters: [./a.yaml], dynamic_lora_loading_path: s3://l/}"
    )
    found = imported({"serve.yaml": config(arguments), "chat.yaml": ANYSCALE, "a.yaml": ADAPTER}, "serve.yaml")
    assert "adapter-layout" in [rule for _, rule in rules(found)]
    spec = read_model("acme--chat.yaml", text(found).encode()).entry
    assert spec is not None
    lora = spec.spec.engine_config.lora_config
    assert lora is not None
    assert (lora.dynamic_lora_loading_path, lora.max_num_adapters_per_replica) == ("s3://l/", 24)
    assert [adapter.model_dump(exclude_unset=True) for adapter in lora.adapters] == [
        {"id": "sql:a1", "source": "s3://lora/sql", "generation": {"stopping_sequences": ["FIN"]}}
    ]
    assert all(fate.fate is not Fate.REFUSED for fate in found.fates)


def test_an_adapter_with_a_name_of_its_own_keeps_it_as_an_alias() -> None:
    arguments = "{multiplex_models: [./chat.yaml], multiplex_lora_adapters: [./b.yaml]}"
    files = {
        "serve.yaml": config(arguments),
        "chat.yaml": ANYSCALE,
        "b.yaml": OTHER_ADAPTER.replace(", s3_sync_args: [--quiet]", ""),
    }
    found = imported(files, "serve.yaml")
    assert "id: acme--french_v2" in text(found)
    assert "- acme/french.v2" in text(found)
    assert [(each.position.file, each.rule) for each in found.diagnostics if each.position.file == "b.yaml"] == [
        ("b.yaml", "obsolete-key")
    ]


@pytest.mark.parametrize(
    ("arguments", "adapter", "rule"),
    [
        ("{models: ./chat.yaml, multiplex_lora_adapters: [./gone.yaml]}", ADAPTER, "missing-file"),
        ("{models: ./chat.yaml, multiplex_lora_adapters: [./a.yaml]}", "base_model_id: acme/chat\n", "missing-key"),
        ("{models: ./chat.yaml, multiplex_lora_adapters: [./a.yaml]}", "a: [\n", "yaml-syntax"),
        ("{models: ./chat.yaml, multiplex_lora_adapters: [./a.yaml]}", OTHER_ADAPTER, "unknown-key"),
        (
            "{models: ./chat.yaml, multiplex_lora_adapters: [./a.yaml]}",
            ADAPTER.replace("base_model_id: acme/chat", "base_model_id: acme/other"),
            "unknown-base-model",
        ),
        ("{models: ./chat.yaml, dynamic_lora_loading_path: [3]}", ADAPTER, "wrong-type"),
        ("{models: ./chat.yaml, dynamic_lora_loading_path: s3://a}", ADAPTER, "left-out"),
    ],
)
def test_an_adapter_that_finds_no_model_is_told(arguments: str, adapter: str, rule: str) -> None:
    found = imported({"serve.yaml": config(arguments), "chat.yaml": RAYLLM, "a.yaml": adapter}, "serve.yaml")
    assert rule in [name for _, name in rules(found)]
    assert len(found.files) == 1


def test_a_broken_file_is_told_where_it_is_broken() -> None:
    found = imported({"serve.yaml": config("{models: [./chat.yaml]}"), "chat.yaml": "a: [\n"}, "serve.yaml")
    assert [(each.position.file, each.rule) for each in found.diagnostics] == [("chat.yaml", "yaml-syntax")]
    [fate] = [fate for fate in found.fates if fate.path[-1] == 0]
    assert fate.reason == "the model it names is refused"


def test_a_model_file_by_itself() -> None:
    found = imported({"chat.yaml": RAYLLM})
    assert "# Imported from chat.yaml.\n# Format: RayLLM.\n" in text(found)

"""The JSON Schemas of the files that people write."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.registry.generated import schemas_folder
from reconciler.registry.json_schema import SCHEMAS, cluster_schema, model_schema

MODEL = {"engine_config": {"model_id": "a/b"}}
REMOTE = {
    "owner": "team",
    "dashboard": {"address": "https://ray.example.com:8265", "token": {"env": "TOKEN"}},
    "gateway": {"address": "https://models.example.com"},
}


def errors(schema: dict[str, Any], document: object) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def with_arguments(**arguments: object) -> dict[str, Any]:
    return {"engine_config": {"model_id": "a/b", "engine_kwargs": arguments}}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_titled_and_committed_as_it_is(name: str) -> None:
    schema = SCHEMAS[name]()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["$id"] == f"urn:reconciler:schema:{name.removesuffix('.schema.json')}"
    committed = (schemas_folder() / name).read_text(encoding="utf-8")
    assert committed == json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("schema", [model_schema, cluster_schema])
def test_every_section_refuses_unknown_keys(schema: Any) -> None:
    document = schema()
    sections = [document, *document["$defs"].values()]
    assert all(section["additionalProperties"] is False for section in sections if "properties" in section)


def test_an_editor_can_show_what_a_key_means() -> None:
    replicas = model_schema()["$defs"]["AutoscalingConfig"]["properties"]["min_replicas"]
    assert "scale to zero" in replicas["description"]
    assert "title" not in replicas


def test_the_smallest_model_file_is_valid() -> None:
    assert errors(model_schema(), MODEL) == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"engine_config": {}},
        {**MODEL, "scaling": {}},
        {**MODEL, "scaling_config": {"num_workers": 0}},
        {**MODEL, "scaling_config": {"placement_strategy": "pack"}},
        with_arguments(max_num_seqz=4),
        with_arguments(max_num_seqs="4"),
        with_arguments(dtype="fp16"),
        with_arguments(max_model_len=4096),
    ],
)
def test_a_mistake_in_a_model_file_is_an_error(document: object) -> None:
    assert errors(model_schema(), document) != []


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_num_seqs": 4, "dtype": "float16", "gpu_memory_utilization": 1, "max_lora_rank": 16},
        {"dtype": "${env:DTYPE}", "revision": "${env:REVISION}"},
        {"quantization": "of-a-plugin", "attention_backend": "FLASH_ATTN"},
        {"compilation_config": {"level": 3}, "cudagraph_capture_sizes": [1, 2], "block_size": None},
    ],
)
def test_engine_arguments_are_offered_with_their_types(arguments: dict[str, object]) -> None:
    assert errors(model_schema(), with_arguments(**arguments)) == []


def with_parameters(**parameters: object) -> dict[str, Any]:
    engine = {"type": "LlamaCppEngine", "model_id": "a/b", "engine_kwargs": parameters}
    return {"engine_config": engine}


@pytest.mark.parametrize(
    ("parameters", "right"),
    [
        ({"n_parallel": 4, "cache_type_k": "Q8_0", "tensor_split": [1, 2]}, True),
        ({"cpuparams": {"n_threads": 8}, "speculative": {"draft": {"n_max": 4}}}, True),
        ({"max_num_seqs": 4}, False),
        ({"n_ctx": 4096}, False),
        ({"n_parallel": "4"}, False),
        ({"cpuparams": {"n_thread": 8}}, False),
    ],
)
def test_each_engine_is_offered_its_own_arguments(parameters: dict[str, object], right: bool) -> None:
    assert (errors(model_schema(), with_parameters(**parameters)) == []) is right


def test_a_service_is_offered_its_section() -> None:
    service = {"provider": "openai", "model": "m", "budget": {"tokens_per_day": 5}}
    document = {"engine_config": {"type": "SaaSEngine", "model_id": "a/b", "saas": service}}
    assert errors(model_schema(), document) == []
    service["provider"] = "nobody"
    assert errors(model_schema(), document) != []


@pytest.mark.parametrize("document", [REMOTE, {**REMOTE, "local": False}, {"owner": "me", "local": True}])
def test_a_cluster_file_is_remote_or_local(document: object) -> None:
    assert errors(cluster_schema(), document) == []


@pytest.mark.parametrize(
    "document",
    [
        {"owner": "me"},
        {**REMOTE, "local": True},
        {**REMOTE, "gateway": {}},
        {**REMOTE, "owner": "My Team"},
        {**REMOTE, "dashboard": {"address": "ray.example.com"}},
        {**REMOTE, "dashboard": {"address": "https://ray", "token": {"env": "A", "file": "b"}}},
    ],
)
def test_a_mistake_in_a_cluster_file_is_an_error(document: object) -> None:
    assert errors(cluster_schema(), document) != []

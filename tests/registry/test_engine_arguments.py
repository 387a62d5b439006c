"""The checks of engine arguments and of the options that Ray knows by name."""

from typing import Any

import pytest

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.checks.check import rule_name
from reconciler.registry.checks.engine_arguments import ENGINE_ARGUMENT_CHECKS
from reconciler.registry.checks.ray_options import RAY_OPTION_CHECKS
from reconciler.registry.registry import ModelEntry
from reconciler.registry.replaced_arguments import GONE_VALUES, REPLACED_ARGUMENTS
from reconciler.registry.spec import ModelSpec
from reconciler.registry.tables import engine_arguments

PROMPT_FORMAT = {"system": "{instruction}", "user": "{instruction}", "assistant": "", "trailing_assistant": ""}


def entry_of(**document: Any) -> ModelEntry:
    engine = {"model_id": "a/b", **document.pop("engine_config", {})}
    return ModelEntry("a--b.yaml", ModelSpec.model_validate({"engine_config": engine, **document}))


def found(entry: ModelEntry) -> list[Diagnostic]:
    return [problem for check in (*ENGINE_ARGUMENT_CHECKS, *RAY_OPTION_CHECKS) for problem in check(entry)]


def found_in(**arguments: object) -> list[Diagnostic]:
    return found(entry_of(engine_config={"engine_kwargs": arguments}))


def only(problems: list[Diagnostic]) -> Diagnostic:
    assert len(problems) == 1, problems
    return problems[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"max_num_seqs": 64, "gpu_memory_utilization": 0.9, "enforce_eager": True, "dtype": "bfloat16"},
        {"gpu_memory_utilization": 1},
        {"max_num_seqs": None},
        {"hf_overrides": {"rope_parameters": {}}, "cudagraph_capture_sizes": [1, 2, 4]},
        {"attention_backend": "FLASH_ATTN"},
        {"attention_backend": "flash_attn"},
        {"download_dir": "${env:WEIGHTS}/cache", "dtype": "${env:DTYPE}"},
        {"chat_template": "{{ messages }}", "enable_auto_tool_choice": True, "tool_call_parser": "hermes"},
        {"limit_mm_per_prompt": {"image": 4}, "max_lora_rank": 16},
    ],
)
def test_good_arguments_pass(arguments: dict[str, object]) -> None:
    assert found_in(**arguments) == []


def test_an_unknown_argument_gets_the_nearest_name() -> None:
    problem = only(found_in(max_num_seqz=4))
    assert problem.rule == "known-engine-arguments"
    assert problem.message == "unknown engine argument `max_num_seqz`"
    assert problem.hint == "did you mean `max_num_seqs`?"
    assert problem.severity is Severity.ERROR


def test_an_unknown_argument_like_no_other_is_said_to_be_unknown() -> None:
    assert "schema" in (only(found_in(zzzz=4)).hint or "")


def test_a_reserved_argument_is_never_suggested() -> None:
    assert "max_model_len" not in (only(found_in(max_modl_len=4)).hint or "")


def test_the_problem_stands_where_the_key_was_written() -> None:
    place = Position("a--b.yaml", 7, 5)
    spec = ModelSpec.model_validate({"engine_config": {"model_id": "a/b", "engine_kwargs": {"device": "auto"}}})
    entry = ModelEntry("a--b.yaml", spec, {("engine_config", "engine_kwargs", "device"): place})
    assert only(found(entry)).position == place


@pytest.mark.parametrize("name", REPLACED_ARGUMENTS)
def test_a_replaced_argument_is_gone_and_says_what_to_write(name: str) -> None:
    assert name not in engine_arguments()
    problem = only(found_in(**{name: 1}))
    assert problem.hint == REPLACED_ARGUMENTS[name]
    assert "vLLM 0.29.0 has no" in problem.message


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("model", "hf_model_id"),
        ("tokenizer", "tokenizer_id"),
        ("max_model_len", "max_total_tokens"),
        ("tensor_parallel_size", "num_workers"),
        ("runner", "EmbeddingEngine"),
        ("data_parallel_size", "max_replicas"),
        ("host", "HTTP server"),
        ("distributed_executor_backend", "remove it"),
    ],
)
def test_a_reserved_argument_says_where_it_is_set(name: str, where: str) -> None:
    problem = only(found_in(**{name: "x"}))
    assert problem.rule == "reserved-engine-arguments"
    assert where in (problem.hint or "")


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        ("max_num_seqs", "64", "`max_num_seqs` wants a whole number, not text `64`", "write 64"),
        (
            "max_num_batched_tokens",
            "1e3",
            "`max_num_batched_tokens` wants a whole number, not text `1e3`",
            "write 1000",
        ),
        ("seed", 4.0, "`seed` wants a whole number, not a number `4.0`", "write 4"),
        ("seed", True, "`seed` wants a whole number, not true or false `True`", "see vLLM's arguments"),
        ("gpu_memory_utilization", "0.9", "`gpu_memory_utilization` wants a number, not text `0.9`", "write 0.9"),
        ("gpu_memory_utilization", "lots", "`gpu_memory_utilization` wants a number, not text `lots`", "0.92"),
        ("enforce_eager", "yes", "`enforce_eager` wants true or false, not text `yes`", "write true"),
        ("revision", 12345, "`revision` wants text, not a whole number `12345`", 'write "12345"'),
        ("hf_overrides", "x", "`hf_overrides` wants a mapping, not text `x`", "see vLLM's arguments"),
        ("dtype", None, "`dtype` wants text, not nothing", "leave it out"),
        ("block_size", "${env:SIZE}", "`block_size` wants a whole number, not text `${env:SIZE}`", "only text"),
    ],
)
def test_a_wrong_type_says_what_was_meant(name: str, value: object, message: str, hint: str) -> None:
    problem = only(found_in(**{name: value}))
    assert problem.rule == "engine-argument-types"
    assert problem.message == message
    assert hint in (problem.hint or "")


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("dtype", "bfloat1", "did you mean `bfloat16`?"),
        ("dtype", "fp16", "it takes `auto`, `half`, `float16`, `bfloat16`, `float`, `float32`"),
        ("max_lora_rank", 7, "it takes `1`, `8`"),
        ("attention_backend", "FLASH_ATTEN", "did you mean `flash_attn`?"),
        ("moe_backend", "zzzz", "the schema lists what it takes"),
    ],
)
def test_a_value_that_is_no_choice_is_an_error(name: str, value: object, hint: str) -> None:
    problem = only(found_in(**{name: value}))
    assert (problem.rule, problem.severity) == ("engine-argument-values", Severity.ERROR)
    assert hint in (problem.hint or "")


def test_a_value_that_a_plugin_may_add_is_a_warning() -> None:
    problem = only(found_in(tool_call_parser="hermez"))
    assert problem.severity is Severity.WARNING
    assert "`hermes`" in (problem.hint or "")
    assert "plugin" in (problem.hint or "")


@pytest.mark.parametrize(("name", "value"), GONE_VALUES)
def test_a_value_that_is_gone_is_an_error(name: str, value: str) -> None:
    problem = only(found_in(**{name: value}))
    assert problem.severity is Severity.ERROR
    assert problem.hint == GONE_VALUES[name, value]


def test_a_chat_template_is_given_once() -> None:
    generation = {"prompt_format": PROMPT_FORMAT}
    engine = {"engine_kwargs": {"chat_template": "{{ messages }}"}, "generation": generation}
    assert only(found(entry_of(engine_config=engine))).rule == "one-chat-template"
    assert found(entry_of(engine_config={"generation": generation})) == []


@pytest.mark.parametrize(("stages", "workers", "count"), [(2, 4, 0), (1, 1, 0), (3, 4, 1), (0, 4, 1), (-1, 1, 1)])
def test_the_stages_of_a_pipeline_divide_the_workers(stages: int, workers: int, count: int) -> None:
    engine = {"engine_kwargs": {"pipeline_parallel_size": stages}}
    problems = found(entry_of(engine_config=engine, scaling_config={"num_workers": workers}))
    assert [problem.rule for problem in problems] == ["pipeline-divides-workers"] * count


@pytest.mark.parametrize("resource", ["accelerator_type:L4", "accelerator_type:A100", "accelerator_type:A10", "tpu"])
def test_a_resource_that_a_node_can_have_passes(resource: str) -> None:
    assert found(entry_of(scaling_config={"resources_per_worker": {resource: 0.001}})) == []


@pytest.mark.parametrize(
    ("resource", "hint"),
    [
        ("accelerator_type_a100_80g", "did you mean `accelerator_type:A100-80G`?"),
        ("accelerator_type:NVIDIA_L4", "did you mean `accelerator_type:L4`?"),
        ("accelerator_type:a10g", "did you mean `accelerator_type:A10G`?"),
        ("accelerator_type_cpu", "a node has it only when it declares the resource itself"),
    ],
)
def test_an_accelerator_type_that_ray_does_not_set_is_a_warning(resource: str, hint: str) -> None:
    problem = only(found(entry_of(scaling_config={"resources_per_worker": {resource: 0.01}})))
    assert (problem.rule, problem.severity, problem.hint) == ("accelerator-types", Severity.WARNING, hint)


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"scaling_config": {"resources_per_worker": {"GPU": 1.0}}}, "write `num_gpus_per_worker`"),
        ({"deployment_config": {"ray_actor_options": {"resources": {"CPU": 1.0}}}}, "write `num_cpus`"),
    ],
)
def test_cpus_and_gpus_are_no_custom_resources(document: dict[str, Any], hint: str) -> None:
    problem = only(found(entry_of(**document)))
    assert (problem.rule, problem.hint) == ("own-keys-for-resources", hint)


def test_a_rule_id_is_the_name_of_its_check() -> None:
    entry = entry_of(
        engine_config={
            "engine_kwargs": {"zzzz": 1, "host": "x", "seed": "1", "dtype": "x", "pipeline_parallel_size": 0}
            | {"chat_template": "x"},
            "generation": {"prompt_format": PROMPT_FORMAT},
        },
        scaling_config={
            "num_workers": 2,
            "num_gpus_per_worker": 0.5,
            "resources_per_worker": {"GPU": 1.0, "accelerator_type:x": 1.0, "accelerator_type:A100-40G": 1.0},
        },
    )
    for check in (*ENGINE_ARGUMENT_CHECKS, *RAY_OPTION_CHECKS):
        assert {problem.rule for problem in check(entry)} == {rule_name(check)}

"""The tables of what vLLM and Ray accept, and the command that writes them."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from reconciler.registry import spec
from reconciler.registry.generated import schemas_folder
from reconciler.registry.tables import Match, UpdateType, engine_arguments, llama_cpp_parameters, ray_table
from reconciler.state.live import ApplicationStatus

GENERATE = Path(__file__).parents[2] / "schemas" / "generate.py"
JSON_TYPES = {"boolean", "integer", "number", "string", "array", "object", "null"}


def test_an_argument_says_its_types_its_default_and_where_it_goes() -> None:
    argument = engine_arguments()["max_num_seqs"]
    assert argument.types == ("integer", "null")
    assert (argument.values, argument.default, argument.source, argument.reserved) == ((), None, "engine", None)
    assert engine_arguments()["chat_template"].source == "frontend"


def test_a_choice_lists_its_values() -> None:
    assert "bfloat16" in engine_arguments()["dtype"].values
    assert engine_arguments()["dtype"].match is Match.EXACT
    assert 16 in engine_arguments()["max_lora_rank"].values
    assert engine_arguments()["attention_backend"].match is Match.ANY_CASE
    assert "flash_attn" in engine_arguments()["attention_backend"].values
    assert engine_arguments()["tool_call_parser"].match is Match.OPEN


def test_parameters_of_llama_cpp_are_named_with_their_part() -> None:
    known = llama_cpp_parameters()
    assert known["cpuparams.n_threads"].types == ("integer",)
    assert known["split_mode"].values == ("none", "layer", "row", "tensor")
    assert (known["cache_type_k"].default, known["cache_type_k"].match) == ("f16", Match.ANY_CASE)
    assert {parameter.source for parameter in known.values()} == {"llama.cpp"}
    reserved = {name for name, parameter in known.items() if parameter.reserved}
    assert {"n_ctx", "model.path", "sampling.temp", "port", "interactive", "lora_adapters"} <= reserved
    assert reserved.isdisjoint({"n_parallel", "n_gpu_layers", "mmproj.path", "speculative.draft.n_max"})


def test_what_the_registry_sets_is_reserved() -> None:
    reserved = {name for name, argument in engine_arguments().items() if argument.reserved}
    assert {"model", "max_model_len", "tensor_parallel_size", "runner", "data_parallel_size", "host"} <= reserved
    assert reserved.isdisjoint({"chat_template", "pipeline_parallel_size", "tool_call_parser", "quantization"})


def test_every_type_is_one_of_json() -> None:
    assert {name for argument in engine_arguments().values() for name in argument.types} <= JSON_TYPES
    assert all(argument.types for argument in engine_arguments().values())


def test_ray_knows_every_option_that_a_model_file_has() -> None:
    options = ray_table().deployment_options
    assert set(spec.AutoscalingConfig.model_fields) <= set(ray_table().autoscaling_options)
    assert set(spec.DeploymentConfig.model_fields) <= set(options)


def test_only_the_actor_options_of_a_model_file_restart_replicas() -> None:
    options = ray_table().deployment_options
    heavy = {name for name in spec.DeploymentConfig.model_fields if options[name] is UpdateType.HEAVY_WEIGHT}
    assert heavy == {"ray_actor_options"}


def test_the_surge_percentage_is_no_reason_to_restart() -> None:
    assert ray_table().deployment_options["max_surge_percent"] is UpdateType.LIGHT_WEIGHT


def test_the_code_version_covers_what_the_design_counts_on() -> None:
    assert {"import_path", "runtime_env", "args"} <= set(ray_table().code_version_inputs)
    assert "deployments" not in ray_table().code_version_inputs


def test_the_live_state_has_a_word_for_each_status_of_ray() -> None:
    assert set(ray_table().application_statuses) == {status.value for status in ApplicationStatus}


def test_a_table_is_read_once() -> None:
    assert engine_arguments() is engine_arguments()
    assert ray_table() is ray_table()


def test_the_folder_is_the_one_of_the_repository() -> None:
    assert schemas_folder() == GENERATE.parent


@pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None or importlib.util.find_spec("ray") is None,
    reason="the pinned vLLM and Ray are not installed",
)
def test_the_files_agree_with_the_installed_packages() -> None:
    done = subprocess.run([sys.executable, GENERATE, "--check"], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture
def generate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command in an empty folder, with two files to write that need neither vLLM nor Ray."""
    found = importlib.util.spec_from_file_location("generate", GENERATE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "_forget_the_machine", lambda: None)
    monkeypatch.setattr(module, "files", lambda: {"one.json": lambda: "1\n", "two.json": lambda: "2\n"})
    return module


def test_generate_writes_what_check_then_accepts(generate: ModuleType, tmp_path: Path) -> None:
    assert generate.main([]) == 0
    assert (tmp_path / "one.json").read_text() == "1\n"
    assert generate.main(["--check"]) == 0


def test_check_changes_nothing_and_names_the_command_that_repairs(
    generate: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.main([])
    (tmp_path / "two.json").write_text("3\n")
    assert generate.main(["--check"]) == 1
    assert (tmp_path / "two.json").read_text() == "3\n"
    shown = capsys.readouterr()
    assert "-3\n+2" in shown.out
    assert "out of date: two.json" in shown.err
    assert "`python schemas/generate.py`" in shown.err


def test_check_reports_a_file_that_is_missing(generate: ModuleType) -> None:
    assert generate.main(["--check"]) == 1


def test_generate_refuses_other_arguments(generate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--chekc"]) == 64
    assert "--check" in capsys.readouterr().err

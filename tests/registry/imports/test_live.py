from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from reconciler.diagnostics import has_errors
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.imports.live import Running, import_live
from reconciler.registry.model_file import read_model
from reconciler.registry.registry import ModelEntry
from reconciler.state.names import import_path
from tests.support import states
from tests.support.strategies import registries


def running(models: tuple[ModelEntry, ...]) -> list[Running]:
    applications = [entry.application for entry in states.desired(*models).applications]
    return [
        Running(each.name, each.config, each.owner, each.config["import_path"] == import_path("engine"))
        for each in applications
    ]


def read(file: str, text: str) -> ModelEntry:
    found = read_model(file, text.encode())
    assert found.diagnostics == ()
    assert found.entry is not None
    return found.entry


def is_right(models: tuple[ModelEntry, ...]) -> bool:
    return not any(has_errors(check_model(entry)) for entry in models)


@given(registries().filter(is_right))
def test_what_is_imported_compiles_to_what_runs(models: tuple[ModelEntry, ...]) -> None:
    found = import_live("test", states.desired().owner, running(models), ())
    assert not found.imported.refused
    again = [read(file.name, file.text) for file in found.imported.files]
    before = {entry.name: entry.application.fingerprint for entry in states.desired(*models).applications}
    after = {entry.name: entry.application.fingerprint for entry in states.desired(*again).applications}
    assert before == after
    assert found.untouched == ("gateway",)


@given(registries())
def test_models_with_files_are_untouched(models: tuple[ModelEntry, ...]) -> None:
    found = import_live("test", states.desired().owner, running(models), [entry.spec.model_id for entry in models])
    assert found.imported.files == ()
    assert len(found.untouched) == len(models) + 1


def test_a_rollout_in_progress_leaves_no_trace() -> None:
    [gateway, engine] = running((states.model(),))
    assert engine.config is not None
    options = {**engine.config["deployments"][0], "max_surge_percent": 100}
    rolling = Running(engine.name, {**engine.config, "deployments": [options]}, engine.owner, True)
    plain, rolled = (import_live("c", "test", [gateway, each], ()) for each in (engine, rolling))
    assert plain == rolled


def test_an_application_of_ours_without_a_model_is_told() -> None:
    broken = Running("x", {"name": "x", "args": {"owner": "o"}}, "o", True)
    found = import_live("c", "o", [broken], ())
    assert [each.rule for each in found.imported.diagnostics] == ["not-importable"]


OTHERS = [
    states.model(
        "org/service",
        engine={
            "type": "SaaSEngine",
            "saas": {
                "provider": "moonshot",
                "model": "kimi",
                "api_key": "${env:KEY}",
                "budget": {"cost_per_day": 2.5},
                "prices": {"currency": "EUR", "input_per_million": 1, "output_per_million": 2},
            },
            "runtime_env": {"env_vars": {"A": "${env:B}"}, "pip": ["x"]},
            "generation": {"generate_kwargs": {"temperature": 0}, "stopping_sequences": ["END"]},
            "aliases": ["s"],
        },
        deployment={"autoscaling_config": {"max_replicas": 3}, "max_ongoing_requests": 7},
    ),
    states.model(
        "org/translated",
        engine={
            "type": "SaaSEngine",
            "saas": {"provider": "anthropic", "model": "claude", "options": {"a": 1}, "kind": "embedding"},
        },
        deployment={"ray_actor_options": {"num_cpus": 0.5, "resources": {"egress": 1}}},
    ),
    states.model(
        "org/file",
        engine={
            "type": "LlamaCppEngine",
            "hf_model_id": "/models/a.gguf",
            "engine_kwargs": {"n_parallel": 2, "n_gpu_layers": 9},
            "generation": {"max_input_tokens": 5},
        },
        scaling={"num_workers": 2, "num_cpus_per_worker": 3, "resources_per_worker": {"accelerator_type:L4": 0.001}},
    ),
    states.model(
        "org/bucket",
        engine={
            "type": "LlamaCppEngine",
            "gcs_mirror_config": {"bucket_uri": "gs://b/m"},
            "gguf_file": "a.gguf",
            "full_context": True,
            "generation": {
                "prompt_format": {
                    "system": "{instruction}",
                    "assistant": "{instruction}",
                    "trailing_assistant": "A:",
                    "user": "{instruction}",
                }
            },
        },
        scaling={"num_gpus_per_worker": 0, "num_cpus_per_worker": 2},
    ),
    states.model("org/part", engine={"type": "LlamaCppEngine"}, scaling={"num_gpus_per_worker": 0.5}),
]


@pytest.mark.parametrize("model", OTHERS, ids=lambda model: model.model_id)
def test_other_engines_come_back_as_they_run(model: ModelEntry) -> None:
    gateway, engine = running((model,))
    found = import_live("test", states.desired().owner, [gateway, replace(engine, is_engine=True)], ())
    assert not found.imported.refused, found.imported.diagnostics
    [file] = found.imported.files
    again = states.desired(read(file.name, file.text))
    assert [entry.application for entry in again.applications] == [
        entry.application for entry in states.desired(model).applications
    ]
    known = import_live("test", states.desired().owner, [gateway, replace(engine, is_engine=True)], [model.model_id])
    assert known.untouched == ("gateway", engine.name)


@pytest.mark.parametrize("args", [{}, {"ray_actor_options": 3}, {"ray_actor_options": {}}])
def test_what_holds_no_model_is_not_imported(args: dict[str, Any]) -> None:
    config = {"name": "a", "import_path": "runtime.saas:build", "args": {"owner": "o", **args}}
    found = import_live("test", "o", [Running("a", config, "o", True)], ())
    assert [each.rule for each in found.imported.diagnostics] == ["not-importable"]

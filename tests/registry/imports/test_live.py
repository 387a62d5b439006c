from hypothesis import given

from reconciler.diagnostics import has_errors
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.imports.live import Running, import_live
from reconciler.registry.model_file import read_model
from reconciler.registry.registry import ModelEntry
from reconciler.state.desired import ENGINE_IMPORT_PATH
from tests.support import states
from tests.support.strategies import registries


def running(models: tuple[ModelEntry, ...]) -> list[Running]:
    applications = [entry.application for entry in states.desired(*models).applications]
    return [
        Running(each.name, each.config, each.owner, each.config["import_path"] == ENGINE_IMPORT_PATH)
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

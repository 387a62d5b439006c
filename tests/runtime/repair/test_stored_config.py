"""What takes the place of a stored config that Ray cannot build. The whole: `contract/test_repair_contract.py`."""

import json
import warnings
from types import SimpleNamespace
from typing import Any

import pytest

with warnings.catch_warnings():
    # Ray's own, of the pydantic it is used with.
    warnings.simplefilter("ignore")
    from ray.serve.schema import ServeApplicationSchema

    from runtime.repair import stored_config

CONFIG = {
    "name": "chat",
    "route_prefix": "/chat",
    "import_path": "chat:build",
    "runtime_env": {"py_modules": ["gcs://chat.zip"], "env_vars": {"SECRET": "hush-hush"}},
    "args": {"text": "one"},
    "deployments": [{"name": "Chat", "max_ongoing_requests": 3}],
}
VERSION = stored_config.code_version(CONFIG) or ""


def spoilt(**changes: Any) -> dict[str, Any]:
    """The config with variables that are no text."""
    variables = {"SECRET": "hush-hush", "FLAG": False, "COUNT": 2, "NONE": None}
    return {**CONFIG, "runtime_env": {**CONFIG["runtime_env"], "env_vars": variables}, **changes}  # type: ignore[dict-item]


def target(config: dict[str, Any] | None) -> Any:
    """What an application was to be."""
    return SimpleNamespace(config=config and ServeApplicationSchema.model_validate(config))


def test_a_config_that_ray_builds_has_no_fault() -> None:
    assert stored_config.fault(CONFIG) is None
    assert stored_config.fault({"name": "plain", "import_path": "m:a"}) is None


def test_variables_that_are_no_text_are_named_without_their_values() -> None:
    found = stored_config.fault(spoilt())
    assert found == "`runtime_env.env_vars`: `COUNT`, `FLAG`, `NONE` are not text"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"runtime_env": {"pip": ["a"], "conda": "b", "env_vars": {"A": "hush-hush"}}}, "pip"),
        ({"deployments": [{"name": "Chat", "autoscaling_config": {"policy": None}}]}, "AttributeError"),
        ({"import_path": "no colon or dot"}, "ValidationError"),
    ],
)
def test_whatever_ray_refuses_is_a_fault_in_its_words(changes: dict[str, Any], said: str) -> None:
    found = stored_config.fault({**CONFIG, **changes})
    assert found is not None and said in found
    assert "hush-hush" not in found


def test_an_error_that_quotes_a_value_is_shown_without_it() -> None:
    config = {**CONFIG, "runtime_env": {"working_dir": "/hush-hush", "env_vars": {"DIR": "hush-hush"}}}
    found = stored_config.fault(config)
    assert found is not None and "hush-hush" not in found


def test_the_config_from_before_is_put_back_where_it_is_still_known() -> None:
    way = stored_config.mended(spoilt(args={"text": "two"}), target(CONFIG), {VERSION: None})
    assert way == (CONFIG, "as-it-serves")


def test_one_that_is_known_but_does_not_serve_is_not_put_back() -> None:
    other = {**CONFIG, "args": {"text": "never served"}}
    way = stored_config.mended(spoilt(), target(other), {"another": {}})
    assert way is not None and way[1] == "values-as-text"


@pytest.mark.parametrize("known", [None, target(None), target(spoilt(runtime_env={}))])
def test_what_serves_proves_the_config_by_its_code_version(known: Any) -> None:
    way = stored_config.mended(spoilt(), known, {VERSION: CONFIG["runtime_env"]})  # type: ignore[dict-item]
    assert way is not None
    assert way[1] == "as-it-serves"
    assert way[0]["runtime_env"] == CONFIG["runtime_env"]
    assert stored_config.code_version(way[0]) == VERSION


def test_else_the_values_become_text() -> None:
    way = stored_config.mended(spoilt(args={"text": "two"}), None, {VERSION: CONFIG["runtime_env"]})  # type: ignore[dict-item]
    assert way is not None
    assert way[1] == "values-as-text"
    assert way[0]["runtime_env"]["env_vars"] == {"SECRET": "hush-hush", "FLAG": "false", "COUNT": "2"}
    assert way[0]["args"] == {"text": "two"}
    assert way[0]["runtime_env"]["py_modules"] == ["gcs://chat.zip"]


def test_what_nothing_is_known_for_has_no_remedy() -> None:
    hopeless = {**CONFIG, "deployments": [{"name": "Chat", "autoscaling_config": {"policy": None}}]}
    assert stored_config.mended(hopeless, None, {}) is None


class Kv:
    """Ray's control store in memory."""

    def __init__(self, **values: bytes) -> None:
        self.values = {name.encode(): value for name, value in values.items()}

    def internal_kv_get(self, key: bytes, namespace: bytes, timeout: float) -> bytes | None:
        return self.values.get(key)

    def internal_kv_put(self, key: bytes, value: bytes, overwrite: bool, namespace: bytes, timeout: float) -> None:
        self.values[key] = value

    def internal_kv_keys(self, prefix: bytes, namespace: bytes, timeout: float) -> list[bytes]:
        return [key for key in self.values if key.startswith(prefix)]


def deployments(*apps: str) -> bytes:
    """The stored targets of deployments named Chat."""
    from ray import cloudpickle
    from ray.serve._private.common import DeploymentID

    return bytes(cloudpickle.dumps({DeploymentID(name="Chat", app_name=app): None for app in apps}))


def test_the_store_is_the_one_that_the_replicas_belong_to() -> None:
    kv = Kv()
    kv.values = {
        b"ray-serve-old-serve-deployment-state-checkpoint": deployments("gone"),
        b"ray-serve-mine-serve-deployment-state-checkpoint": deployments("chat"),
        b"ray-serve-mine-serve-app-config-checkpoint": b"",
        f"{stored_config.dashboard_prefix()}-serve-app-config-checkpoint".encode(): b"",
    }
    assert stored_config.find_store(kv, ["SERVE_REPLICA::chat#Chat#r1"]).prefix == "ray-serve-mine"
    assert stored_config.find_store(kv, []).prefix == stored_config.dashboard_prefix()
    assert stored_config.find_store(Kv(), []).prefix == stored_config.dashboard_prefix()


def test_a_store_moves_to_where_the_dashboard_s_controller_looks() -> None:
    kv = Kv()
    kv.values = {b"ray-serve-mine-serve-a": b"1", b"ray-serve-mine-serve-b": b"2", b"ray-serve-mine2-serve-a": b"3"}
    stored_config.move(stored_config.Store(kv, "ray-serve-mine"))
    there = stored_config.Store(kv, stored_config.dashboard_prefix())
    assert (there.get("serve-a"), there.get("serve-b")) == (b"1", b"2")


def test_an_error_of_the_dashboard_is_told_without_what_it_quotes() -> None:
    assert stored_config.type_of(["Traceback", "ValueError: the value is hush-hush"]) == "ValueError"
    assert stored_config.type_of([]) == "no explanation"


def test_texts_are_as_json_writes_them() -> None:
    values = [True, 1.5, "x", ["a"], {"b": 1}]
    assert [stored_config.text(value) for value in values] == ["true", "1.5", "x", '["a"]', json.dumps({"b": 1})]

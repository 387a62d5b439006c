"""What the gateway does for a model changes in place: no plan for it touches a replica."""

from typing import Any

import pytest

from reconciler.plan.change import Impact
from reconciler.registry.cluster import Cluster
from reconciler.registry.registry import ClusterEntry
from reconciler.state.desired import DesiredState
from tests.support.states import OWNER, deployed, desired, gpu_nodes, model, plan

MODEL_SETTINGS: dict[str, dict[str, Any]] = {
    "aliases": {"engine": {"aliases": ["chat"]}},
    "description": {"engine": {"model_description": "Talks"}},
    "url": {"engine": {"model_url": "https://example.com"}},
    "defaults": {"engine": {"generation": {"generate_kwargs": {"temperature": 0.2, "min_tokens": 3}}}},
    "stop strings": {"engine": {"generation": {"stopping_sequences": ["END"]}}},
    "stop tokens": {"engine": {"generation": {"stopping_sequences": [7, [1, 2]]}}},
    "limit of input": {"engine": {"generation": {"max_input_tokens": 100}}},
    "limit of output": {"engine": {"generation": {"max_output_tokens": 100}}},
    "no chat": {"engine": {"generation": {"chat": False}}},
    "canary": {"traffic": {"canary": {"model": "org/b", "percent": 5}}},
    "fallback": {"traffic": {"fallback": "org/b"}},
}

KEY = {"name": "ci", "sha256": "0" * 64, "models": ["org/*"]}
OTHER_KEY = {"name": "team", "sha256": "1" * 64}
GATEWAY_SETTINGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a key": ({"keys": [KEY]}, ["keys.ci"]),
    "keys": ({"keys": [KEY, OTHER_KEY]}, ["keys.ci", "keys.team"]),
    "a limit": ({"limits": {"answer_s": 30, "body_mib": 1}}, ["limits.answer_s", "limits.body_bytes"]),
}


def state(gateway: dict[str, Any] | None = None, **sections: Any) -> DesiredState:
    settings = {"token": {"env": "KEY"}, **(gateway or {})}
    cluster = Cluster.model_validate({"owner": OWNER, "local": True, "gateway": settings})
    return desired(model("org/a", **sections), model("org/b"), cluster=ClusterEntry("local", "local.yaml", cluster))


def there_and_back(before: DesiredState, after: DesiredState) -> list[str]:
    """The fields that change, there and back: of the gateway alone, in place."""
    paths = []
    for live, wanted in ((before, after), (after, before)):
        [action] = plan(wanted, deployed(live, nodes=gpu_nodes(2))).actions
        assert (action.name, action.impact) == ("gateway", Impact.RECONFIGURE)
        paths.append([field.path.partition("user_config.")[2] for field in action.change.fields])
    assert paths[0] == paths[1]
    return paths[0]


@pytest.mark.parametrize("setting", MODEL_SETTINGS)
def test_a_setting_of_a_model(setting: str) -> None:
    paths = there_and_back(state(), state(**MODEL_SETTINGS[setting]))
    assert paths
    assert all(path.startswith('models["org/a"].') for path in paths)


@pytest.mark.parametrize("setting", GATEWAY_SETTINGS)
def test_a_setting_of_the_gateway(setting: str) -> None:
    settings, paths = GATEWAY_SETTINGS[setting]
    assert there_and_back(state(), state(settings)) == paths


def test_one_key_of_several() -> None:
    both, one = {"keys": [KEY, OTHER_KEY]}, {"keys": [{**KEY, "models": ["*"]}, OTHER_KEY]}
    assert there_and_back(state(both), state(one)) == ["keys.ci.models"]

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from reconciler.plan.code_version import code_version, is_code_input
from tests.support.strategies import configs


@pytest.fixture(scope="module")
def ray_code_version() -> Iterator[Any]:
    """Ray's own function; Ray is imported here and nowhere else in these tests."""
    deploy_utils = pytest.importorskip("ray.serve._private.deploy_utils")
    schema = pytest.importorskip("ray.serve.schema")
    yield lambda config: deploy_utils.get_app_code_version(schema.ServeApplicationSchema.model_validate(config))


@given(config=configs())
def test_it_is_the_hash_that_ray_computes(ray_code_version: Any, config: dict[str, Any]) -> None:
    for deployment in config["deployments"]:
        # Ray refuses actors that are malformed and a null router before it comes to the hash.
        deployment.pop("deployment_actors", None)
        if deployment.get("request_router_config") is None:
            deployment.pop("request_router_config", None)
    assert code_version(json.loads(json.dumps(config))) == ray_code_version(config)


def test_actors_of_a_deployment_are_hashed_as_ray_does(ray_code_version: Any) -> None:
    actors = [{"name": "a", "actor_class": "m:C", "init_kwargs": {"x": 1}, "actor_options": {"num_cpus": 0}}]
    config = {"name": "a", "import_path": "m:b", "deployments": [{"name": "D", "deployment_actors": actors}]}
    assert code_version(config) == ray_code_version(config)


def test_a_block_of_autoscaling_counts_and_its_values_do_not() -> None:
    def version(*blocks: dict[str, Any] | None) -> str:
        deployments = [{"name": str(index), "autoscaling_config": block} for index, block in enumerate(blocks)]
        return code_version({"import_path": "m:b", "deployments": deployments})

    assert version({"max_replicas": 1}) == version({"max_replicas": 2})
    assert version({"max_replicas": 1}) != version(None)
    assert version({"policy": {"policy_function": "m:f"}}) != version({})


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("args", "x"), True),
        (("runtime_env",), True),
        (("route_prefix",), False),
        (("deployments", "D", "autoscaling_config"), True),
        (("deployments", "D", "autoscaling_config", "policy", "x"), True),
        (("deployments", "D", "autoscaling_config", "max_replicas"), False),
        (("deployments", "D", "deployment_actors"), True),
        (("deployments", "D", "user_config", "args"), False),
    ],
)
def test_which_fields_are_inputs(keys: tuple[str, ...], expected: bool) -> None:
    assert is_code_input(keys) is expected

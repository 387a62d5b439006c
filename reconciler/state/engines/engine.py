"""What one type of engine makes of a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reconciler.registry.spec import ModelSpec
from reconciler.state.capacity import Bundles
from reconciler.state.json_value import JsonValue

PackageKind = Literal["engine", "llama_cpp", "saas"]
"""The code that runs a model: a folder of `runtime`, and a package of its own."""


def _nothing(spec: ModelSpec) -> None:
    del spec


@dataclass(frozen=True, slots=True)
class Engine:
    """How models of one type become applications."""

    package: PackageKind
    args: Callable[[ModelSpec, Bundles], Mapping[str, JsonValue]]
    """What `build` gets beside the owner. Any change in it restarts the replicas."""
    user_config: Callable[[ModelSpec], Any] = _nothing
    """What running replicas take over in place; None where there is nothing of that kind."""


def actor_options(bundles: Bundles) -> dict[str, JsonValue]:
    """The resources of a replica that is one process, as Ray's actor options have them."""
    resources = dict(bundles.total)
    return {
        "num_cpus": resources.pop("CPU", 0.0),
        "num_gpus": resources.pop("GPU", 0.0),
        "resources": resources,
    }

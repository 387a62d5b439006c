"""What the pinned vLLM, llama.cpp and Ray accept, read from the generated files in `schemas/` without importing any."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from reconciler.registry.generated import schemas_folder

VLLM_VERSION = "0.29.0"
RAY_VERSION = "2.60.0"
LLAMA_CPP_VERSION = "2026.10.11549"
"""Of xllamacpp, whose last number is llama.cpp's build."""

VLLM_FILE = f"vllm-{VLLM_VERSION}.json"
RAY_FILE = f"ray-{RAY_VERSION}.json"
LLAMA_CPP_FILE = f"llama-cpp-{LLAMA_CPP_VERSION}.json"


class Match(StrEnum):
    """How a value must agree with the listed values of an argument."""

    EXACT = "exact"
    ANY_CASE = "any-case"
    OPEN = "open"
    """The list is what vLLM brings along; plugins may add to it."""


@dataclass(frozen=True, slots=True)
class EngineArgument:
    """One key that `engine_kwargs` may hold."""

    name: str
    types: tuple[str, ...]
    """JSON types that vLLM takes; none of them when the value cannot be written in a file."""
    values: tuple[str | int, ...] = ()
    """The values it takes, when it is a choice."""
    match: Match = Match.EXACT
    default: Any = None
    """vLLM's default; None also where JSON cannot say it."""
    source: str = "engine"
    """What it goes to: `engine` (vLLM's `AsyncEngineArgs`), `frontend` (its `FrontendArgs`) or `llama.cpp`."""
    reserved: str | None = None
    """What to do instead, when Ray or the registry sets it or it has no effect under Ray Serve."""


class UpdateType(StrEnum):
    """What Ray Serve does with running replicas when an option changes (`DeploymentOptionUpdateType`)."""

    LIGHT_WEIGHT = "LightWeight"
    NEEDS_RECONFIGURE = "NeedsReconfigure"
    NEEDS_ACTOR_RECONFIGURE = "NeedsActorReconfigure"
    HEAVY_WEIGHT = "HeavyWeight"
    """All replicas restart; every other type is carried out in place."""


@dataclass(frozen=True, slots=True)
class RayTable:
    """What one version of Ray Serve knows."""

    deployment_options: Mapping[str, UpdateType]
    """Options of `deployments[]` and what a change of each does."""
    deployment_defaults: Mapping[str, Any]
    """Ray's default of each option that has one JSON can say."""
    autoscaling_options: tuple[str, ...]
    """Keys of an `autoscaling_config`. Ray drops any other silently."""
    code_version_inputs: tuple[str, ...]
    """Parts of an application that restart all its deployments when they change."""
    application_statuses: tuple[str, ...]
    accelerator_types: tuple[str, ...]
    """Names behind `accelerator_type:` in a node's resources. `A100-40G` and `A100-80G` are never set by Ray itself."""


@cache
def engine_arguments() -> Mapping[str, EngineArgument]:
    """The arguments of the pinned vLLM that `ray.serve.llm` passes on, by name."""
    arguments = _read(VLLM_FILE)["arguments"]
    return {name: _engine_argument(name, entry) for name, entry in arguments.items()}


@cache
def llama_cpp_parameters() -> Mapping[str, EngineArgument]:
    """The parameters of the pinned llama.cpp, by name; those in a part of their own as `cpuparams.n_threads`."""
    parameters = _read(LLAMA_CPP_FILE)["parameters"]
    return {name: _engine_argument(name, {**entry, "source": "llama.cpp"}) for name, entry in parameters.items()}


@cache
def ray_table() -> RayTable:
    """What the pinned Ray Serve knows."""
    table = _read(RAY_FILE)
    return RayTable(
        deployment_options={name: UpdateType(option["update"]) for name, option in table["deployment_options"].items()},
        deployment_defaults={
            name: option["default"] for name, option in table["deployment_options"].items() if "default" in option
        },
        autoscaling_options=tuple(table["autoscaling_options"]),
        code_version_inputs=tuple(table["code_version_inputs"]),
        application_statuses=tuple(table["application_statuses"]),
        accelerator_types=tuple(table["accelerator_types"]),
    )


def _engine_argument(name: str, entry: Mapping[str, Any]) -> EngineArgument:
    return EngineArgument(
        name=name,
        types=tuple(entry["types"]),
        values=tuple(entry.get("values", ())),
        match=Match(entry.get("match", Match.EXACT)),
        default=entry.get("default"),
        source=entry["source"],
        reserved=entry.get("reserved"),
    )


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((schemas_folder() / name).read_text(encoding="utf-8"))
    return document

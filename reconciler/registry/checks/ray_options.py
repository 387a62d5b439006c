"""Options that Ray understands by name, checked against the generated table of the pinned Ray."""

from collections.abc import Iterator
from difflib import get_close_matches

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.choices import PlacementStrategy
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry
from reconciler.registry.tables import RAY_VERSION, ray_table

_PREFIX = "accelerator_type:"
_NEVER_LABELLED = ("A100-40G", "A100-80G")
_OWN_RESOURCES = {"CPU": "num_cpus_per_worker", "GPU": "num_gpus_per_worker"}


def accelerator_types(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Accelerator types are those Ray puts on nodes. A node may declare its own, so another name is a warning."""
    # Ray labels an A10 by its own name, though its list has the A10G of AWS only.
    known = {*ray_table().accelerator_types, "A10"}
    for path in _resources(entry):
        resource = str(path[-1])
        if not resource.startswith("accelerator_type") or resource.removeprefix(_PREFIX) in known:
            continue
        plain = resource.removeprefix("accelerator_type").lstrip(":_").replace("_", "-").removeprefix("NVIDIA-").upper()
        near = get_close_matches(plain, sorted(name.upper() for name in known), n=1)
        meant = next((name for name in known if near and name.upper() == near[0]), None)
        yield Diagnostic(
            entry.position(path),
            "accelerator-types",
            f"Ray {RAY_VERSION} knows no accelerator resource {quoted(resource)}",
            f"did you mean `{_PREFIX}{meant}`?" if meant else "a node has it only when it declares the resource itself",
            Severity.WARNING,
        )


def own_keys_for_resources(entry: ModelEntry) -> Iterator[Diagnostic]:
    """CPUs and GPUs have keys of their own; a second amount in the custom resources would contradict them."""
    for path in _resources(entry):
        if path[-1] in _OWN_RESOURCES:
            where = _OWN_RESOURCES[str(path[-1])] if path[0] == "scaling_config" else f"num_{str(path[-1]).lower()}s"
            message = f"{quoted(path[-1])} is no custom resource"
            yield Diagnostic(entry.position(path), "own-keys-for-resources", message, f"write `{where}`")


def undeclared_accelerator(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Ray labels every A100 `A100`: a node offers `A100-40G` or `A100-80G` only when it was started with it.

    Waive it with a reason once the nodes are started so.
    """
    for path in _resources(entry):
        resource = str(path[-1])
        if resource.removeprefix(_PREFIX) in _NEVER_LABELLED:
            declared = "{" + f'"{resource}": 1' + "}"
            yield Diagnostic(
                entry.position(path),
                "undeclared-accelerator",
                f"Ray gives no node the resource {quoted(resource)} by itself",
                f"start the nodes with `ray start --resources='{declared}'`, or write `{_PREFIX}A100`",
                Severity.WARNING,
            )


def one_gpu_a_worker(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Every worker of a replica has a GPU of its own: NCCL refuses two workers of one group on the same GPU."""
    scaling = entry.spec.scaling_config
    packed = scaling.placement_strategy in (PlacementStrategy.PACK, PlacementStrategy.STRICT_PACK)
    if scaling.num_workers > 1 and 0 < scaling.num_gpus_per_worker < 1 and packed:
        message = (
            f"{scaling.num_workers} workers with {scaling.num_gpus_per_worker:g} GPU each may be placed on one GPU, "
            "which they cannot share"
        )
        position = entry.position(("scaling_config", "num_gpus_per_worker"))
        yield Diagnostic(position, "one-gpu-a-worker", message, "write `num_gpus_per_worker: 1`")


RAY_OPTION_CHECKS: tuple[ModelCheck, ...] = (
    accelerator_types,
    own_keys_for_resources,
    undeclared_accelerator,
)
"""The checks of this module that hold for every engine."""


def _resources(entry: ModelEntry) -> Iterator[KeyPath]:
    workers: KeyPath = ("scaling_config", "resources_per_worker")
    actor: KeyPath = ("deployment_config", "ray_actor_options", "resources")
    yield from ((*workers, name) for name in entry.spec.scaling_config.resources_per_worker)
    yield from ((*actor, name) for name in entry.spec.deployment_config.ray_actor_options.resources)

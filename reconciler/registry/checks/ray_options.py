"""Options that Ray understands by name, checked against the generated table of the pinned Ray."""

from collections.abc import Iterator
from difflib import get_close_matches

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import KeyPath, ModelEntry
from reconciler.registry.tables import RAY_VERSION, ray_table

_PREFIX = "accelerator_type:"
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


RAY_OPTION_CHECKS: tuple[ModelCheck, ...] = (accelerator_types, own_keys_for_resources)
"""The checks of this module."""


def _resources(entry: ModelEntry) -> Iterator[KeyPath]:
    workers: KeyPath = ("scaling_config", "resources_per_worker")
    actor: KeyPath = ("deployment_config", "ray_actor_options", "resources")
    yield from ((*workers, name) for name in entry.spec.scaling_config.resources_per_worker)
    yield from ((*actor, name) for name in entry.spec.deployment_config.ray_actor_options.resources)

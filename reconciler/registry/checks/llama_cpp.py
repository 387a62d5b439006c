"""Parameters of llama.cpp, checked against the generated table, and against what the replica has."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeGuard

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.argument_value import takes, type_problem, value_hint
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry
from reconciler.registry.tables import LLAMA_CPP_VERSION, EngineArgument, llama_cpp_parameters

_KWARGS: KeyPath = ("engine_config", "engine_kwargs")


def known_llama_cpp_parameters(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Every key of `engine_kwargs` is a parameter of the pinned llama.cpp that a server of one model uses; those in a
    part of their own stand in a mapping: `cpuparams: {n_threads: 8}`."""
    known = llama_cpp_parameters()
    usable = [name for name in known if known[name].reserved is None]
    for path, _ in _given(entry):
        name = ".".join(path)
        if name not in known:
            near = get_close_matches(name, usable, n=1)
            hint = f"did you mean {quoted(near[0])}?" if near else "the schema lists those there are"
            message = f"llama.cpp ({LLAMA_CPP_VERSION}) has no parameter {quoted(name)}"
            yield _problem(entry, path, "known-llama-cpp-parameters", message, hint)
        elif (reserved := known[name].reserved) is not None:
            message = f"{quoted(name)} has no place in `engine_kwargs`"
            yield _problem(entry, path, "known-llama-cpp-parameters", message, reserved)


def llama_cpp_values(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Every parameter of llama.cpp has a value of its type, and one of its choices where it is one."""
    for path, value in _given(entry):
        parameter = llama_cpp_parameters().get(".".join(path))
        if parameter is None or parameter.reserved is not None:
            continue
        problem = type_problem(parameter, value)
        if problem is None and not takes(parameter, value):
            problem = f"{quoted(parameter.name)} does not take {quoted(value)}", value_hint(parameter, value)
        if problem is not None:
            yield _problem(entry, path, "llama-cpp-values", *problem)


def positive_slots(entry: ModelEntry) -> Iterator[Diagnostic]:
    """llama.cpp answers at least one request at a time."""
    slots = entry.spec.engine_config.engine_kwargs.get("n_parallel")
    if _is_whole(slots) and slots < 1:
        yield _problem(entry, ("n_parallel",), "positive-slots", f"`n_parallel` is {slots}", "write 1 or more")


def idle_slots(entry: ModelEntry) -> Iterator[Diagnostic]:
    """A replica gets as many requests at a time as it has slots: each slot takes its share of the memory."""
    slots = entry.spec.engine_config.engine_kwargs.get("n_parallel")
    most = entry.spec.deployment_config.max_ongoing_requests
    if _is_whole(slots) and slots > most:
        message = f"`n_parallel` is {slots}, and a replica never gets more than `max_ongoing_requests`, {most}"
        hint = f"write `n_parallel: {most}`, or raise `max_ongoing_requests`"
        yield _problem(entry, ("n_parallel",), "idle-slots", message, hint, Severity.WARNING)


def layers_without_gpu(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Layers go to GPUs that the replica has."""
    scaling, layers = entry.spec.scaling_config, entry.spec.engine_config.engine_kwargs.get("n_gpu_layers")
    if not scaling.num_gpus_per_worker and _is_whole(layers) and layers > 0:
        message = f"`n_gpu_layers` is {layers}, and `num_gpus_per_worker` is 0"
        yield _problem(entry, ("n_gpu_layers",), "layers-without-gpu", message, "remove one of them")


def whole_gpus_together(entry: ModelEntry) -> Iterator[Diagnostic]:
    """llama.cpp is one process: Ray gives it a share of one GPU, or several whole ones."""
    scaling = entry.spec.scaling_config
    gpus = scaling.num_workers * scaling.num_gpus_per_worker
    if gpus > 1 and gpus % 1:
        position = entry.position(("scaling_config", "num_gpus_per_worker"))
        message = f"{scaling.num_workers} workers with {scaling.num_gpus_per_worker:g} GPU each are {gpus:g} GPUs"
        yield Diagnostic(position, "whole-gpus-together", message, "write `num_gpus_per_worker: 1`")


def stop_texts(entry: ModelEntry) -> Iterator[Diagnostic]:
    """llama.cpp stops at the end tokens that its file names and at texts; a request cannot name a token's id."""
    for index, stop in enumerate(entry.spec.engine_config.generation.stopping_sequences):
        if isinstance(stop, int):
            position = entry.position(("engine_config", "generation", "stopping_sequences", index))
            message = f"llama.cpp does not stop at the id of a token, {stop}"
            yield Diagnostic(position, "stop-texts", message, f"write its text, or `[{stop}]` for whatever that is")


LLAMA_CPP_CHECKS: tuple[ModelCheck, ...] = (
    known_llama_cpp_parameters,
    llama_cpp_values,
    positive_slots,
    idle_slots,
    layers_without_gpu,
    whole_gpus_together,
    stop_texts,
)
"""The checks of this module."""


def _given(entry: ModelEntry) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield from _flat(entry.spec.engine_config.engine_kwargs, (), llama_cpp_parameters())


def _flat(
    values: Mapping[str, Any], path: tuple[str, ...], known: Mapping[str, EngineArgument]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The parameters that were written, those of a part with its name before theirs."""
    for name, value in values.items():
        inner = (*path, str(name))
        start = ".".join(inner)
        if isinstance(value, Mapping) and any(other.startswith(f"{start}.") for other in known):
            yield from _flat(value, inner, known)
        else:
            yield inner, value


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _problem(
    entry: ModelEntry,
    path: tuple[str, ...],
    rule: str,
    message: str,
    hint: str,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    return Diagnostic(entry.position((*_KWARGS, *path)), rule, message, hint, severity)

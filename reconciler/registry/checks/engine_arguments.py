"""Engine arguments, checked against the generated table of the pinned vLLM.

`ray.serve.llm` looks at them first when a replica starts, minutes after the deployment was accepted; here they are
errors in the file.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.argument_value import fits, json_type, takes, type_problem, value_hint
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry
from reconciler.registry.replaced_arguments import GONE_VALUES, REPLACED_ARGUMENTS
from reconciler.registry.tables import VLLM_VERSION, EngineArgument, Match, engine_arguments


def known_engine_arguments(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Every key of `engine_kwargs` is an argument of the pinned vLLM."""
    known = engine_arguments()
    for name in _given(entry):
        if name in known:
            continue
        if name in REPLACED_ARGUMENTS:
            message = f"vLLM {VLLM_VERSION} has no engine argument {quoted(name)}"
            hint = REPLACED_ARGUMENTS[name]
        else:
            message = f"unknown engine argument {quoted(name)}"
            near = get_close_matches(name, [other for other in known if known[other].reserved is None], n=1)
            hint = f"did you mean {quoted(near[0])}?" if near else f"the schema lists those of vLLM {VLLM_VERSION}"
        yield _problem(entry, name, "known-engine-arguments", message, hint)


def reserved_engine_arguments(entry: ModelEntry) -> Iterator[Diagnostic]:
    """No key of `engine_kwargs` is one that Ray or another section of the file sets, or that has no effect."""
    for argument, _ in _known(entry):
        if argument.reserved is not None:
            message = f"{quoted(argument.name)} has no place in `engine_kwargs`"
            yield _problem(entry, argument.name, "reserved-engine-arguments", message, argument.reserved)


def engine_argument_types(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Every engine argument is of a type that vLLM takes; numbers are strict, as everywhere in a model file."""
    for argument, value in _known(entry):
        problem = None if argument.reserved is not None else type_problem(argument, value)
        if problem is not None:
            yield _problem(entry, argument.name, "engine-argument-types", *problem)


def engine_argument_values(entry: ModelEntry) -> Iterator[Diagnostic]:
    """Every engine argument that is a choice has a value that vLLM takes. Plugins may add values to some: a warning."""
    for argument, value in _known(entry):
        if argument.reserved is not None or not fits(argument, value) or takes(argument, value):
            continue
        gone = GONE_VALUES.get((argument.name, str(value)))
        if argument.match is Match.OPEN and gone is None:
            message = f"vLLM {VLLM_VERSION} brings along no {quoted(argument.name)} named {quoted(value)}"
            hint = f"{value_hint(argument, value)} (or a plugin in the cluster's image adds it)"
            severity = Severity.WARNING
        else:
            message = f"{quoted(argument.name)} does not take {quoted(value)}"
            hint = gone or value_hint(argument, value)
            severity = Severity.ERROR
        yield _problem(entry, argument.name, "engine-argument-values", message, hint, severity)


def one_chat_template(entry: ModelEntry) -> Iterator[Diagnostic]:
    """A chat template is given once: `prompt_format` becomes the argument `chat_template`."""
    if "chat_template" in _given(entry) and entry.spec.engine_config.generation.prompt_format is not None:
        message = "`chat_template` and `generation.prompt_format` both say how a conversation becomes a prompt"
        yield _problem(entry, "chat_template", "one-chat-template", message, "remove one of them")


def pipeline_divides_workers(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The workers are split into stages of equal size: tensor parallel size times pipeline parallel size."""
    name = "pipeline_parallel_size"
    stages, workers = _given(entry).get(name, 1), entry.spec.scaling_config.num_workers
    if json_type(stages) == "integer" and (stages < 1 or workers % stages):
        message = f"{quoted(name)} {stages} does not divide `scaling_config.num_workers` {workers}"
        hint = "`num_workers` is the tensor parallel size times the pipeline parallel size"
        yield _problem(entry, name, "pipeline-divides-workers", message, hint)


ENGINE_ARGUMENT_CHECKS: tuple[ModelCheck, ...] = (
    known_engine_arguments,
    reserved_engine_arguments,
    engine_argument_types,
    engine_argument_values,
    one_chat_template,
    pipeline_divides_workers,
)
"""The checks of this module, in the order of their questions."""


def _given(entry: ModelEntry) -> dict[str, Any]:
    return entry.spec.engine_config.engine_kwargs


def _known(entry: ModelEntry) -> Iterator[tuple[EngineArgument, Any]]:
    known = engine_arguments()
    return ((known[name], value) for name, value in _given(entry).items() if name in known)


def _problem(
    entry: ModelEntry, name: str, rule: str, message: str, hint: str, severity: Severity = Severity.ERROR
) -> Diagnostic:
    return Diagnostic(entry.position(("engine_config", "engine_kwargs", name)), rule, message, hint, severity)

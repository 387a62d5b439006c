"""What requests get by default, and how conversations become prompts."""

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.prompt_format import placeholders
from reconciler.registry.registry import KeyPath, ModelEntry
from reconciler.registry.spec import EngineType

_GENERATION: KeyPath = ("engine_config", "generation")

_NO_DEFAULTS = {
    "model": "the request says which model it wants; remove it",
    "messages": "the request brings them; remove it",
    "prompt": "the request brings it; remove it",
    "stream": "the client decides how it reads the answer; remove it",
    "stop": "write `stopping_sequences`",
    "stop_token_ids": "write the ids in `stopping_sequences`",
    "max_new_tokens": "write `max_tokens`",
    "min_new_tokens": "write `min_tokens`",
    "do_sample": "write `temperature: 0` for `do_sample: false`; else remove it",
    "ignore_eos_token": "write `ignore_eos`",
    "num_return_sequences": "write `n`",
}
"""Fields of a request that have no default, or another name."""

_GOES_THERE = {"instruction": "message", "system": "system message"}


def embedding_generation(entry: ModelEntry) -> Iterable[Diagnostic]:
    """An embedding model generates nothing."""
    engine = entry.spec.engine_config
    if engine.type is EngineType.EMBEDDING and engine.generation.model_fields_set:
        message = "an embedding model generates no text"
        yield Diagnostic(entry.position(_GENERATION), rule_name(embedding_generation), message, "remove `generation`")


def request_defaults(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Defaults have the names of OpenAI's and vLLM's request fields, and leave the request what is its own."""
    for field in entry.spec.engine_config.generation.generate_kwargs:
        if field in _NO_DEFAULTS:
            position = entry.position((*_GENERATION, "generate_kwargs", field))
            message = f"`{field}` is no request field that can have a default here"
            yield Diagnostic(position, rule_name(request_defaults), message, _NO_DEFAULTS[field])


def prompt_format_parts(entry: ModelEntry) -> Iterable[Diagnostic]:
    """The parts of a prompt format are format strings around `{instruction}`, with `{system}` where it belongs.

    `system` and `assistant` may be empty: that role is then left out of the prompt.
    """
    prompt_format = entry.spec.engine_config.generation.prompt_format
    if prompt_format is None:
        return
    needed = {"instruction", "system"} if prompt_format.system_in_user else {"instruction"}
    for part, names in (("system", {"instruction"}), ("assistant", {"instruction"}), ("user", needed)):
        text = getattr(prompt_format, part)
        for problem, hint in _part_problems(text, names) if text or part == "user" else ():
            position = entry.position((*_GENERATION, "prompt_format", part))
            yield Diagnostic(position, rule_name(prompt_format_parts), f"`prompt_format.{part}` {problem}", hint)


def _part_problems(text: str, names: set[str]) -> Iterable[tuple[str, str]]:
    literal = "braces that stand for themselves are doubled: `{{` and `}}`"
    try:
        found = placeholders(text)
    except ValueError as error:
        yield f"is no format string: {error}", literal
        return
    for name in sorted(names - found):
        yield f"has no `{{{name}}}`", f"write `{{{name}}}` where the {_GOES_THERE[name]} goes"
    for name in sorted(found - names):
        if name == "system":
            yield "holds `{system}`, which is not filled in", "write `system_in_user: true`, or remove it"
        else:
            yield f"holds `{{{name}}}`, which is not filled in", literal

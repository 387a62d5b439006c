"""What requests get by default, and how conversations become prompts."""

from collections.abc import Iterable, Iterator

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.choices import EngineType
from reconciler.registry.engine_spec import EngineConfig, total_tokens
from reconciler.registry.key_path import KeyPath
from reconciler.registry.prompt_format import placeholders
from reconciler.registry.registry import ModelEntry

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
    for path in _defaults(entry):
        field = str(path[-1])
        if field in _NO_DEFAULTS:
            position = entry.position(path)
            message = f"`{field}` is no request field that can have a default here"
            yield Diagnostic(position, rule_name(request_defaults), message, _NO_DEFAULTS[field])


def _defaults(entry: ModelEntry) -> Iterator[KeyPath]:
    """Where the defaults of a model and of its adapters stand."""
    engine = entry.spec.engine_config
    yield from ((*_GENERATION, "generate_kwargs", field) for field in engine.generation.generate_kwargs)
    for index, adapter in enumerate(engine.lora_config.adapters if engine.lora_config else ()):
        place: KeyPath = ("engine_config", "lora_config", "adapters", index, "generation", "generate_kwargs")
        yield from ((*place, field) for field in adapter.generation.generate_kwargs)


def generation_limits(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Limits to prompts and answers fit in the context, and the defaults of requests in the limits."""
    for path, value, limit, reason in _limited(entry.spec.engine_config):
        if value > limit:
            message = f"`{path[-1]}` is {value}, and `{reason}` is {limit}"
            position = entry.position((*_GENERATION, *path))
            yield Diagnostic(position, rule_name(generation_limits), message, f"lower it, or raise `{reason}`")


def _limited(engine: EngineConfig) -> Iterable[tuple[KeyPath, int, int, str]]:
    """Each number that something else limits: where it stands, what it is, the limit and its name."""
    generation, total = engine.generation, total_tokens(engine)
    for name in ("max_input_tokens", "max_output_tokens"):
        value = getattr(generation, name)
        if value is not None and total is not None:
            yield (name,), value, total, "max_total_tokens"
    for name in ("max_tokens", "max_completion_tokens", "min_tokens"):
        value = generation.generate_kwargs.get(name)
        if isinstance(value, int) and generation.max_output_tokens is not None:
            yield ("generate_kwargs", name), value, generation.max_output_tokens, "max_output_tokens"


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

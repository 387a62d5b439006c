"""The arguments of `byzerllm deploy` and `easy-byzerllm deploy`, as a document with the place of every one.

The rules are argparse's (`src/byzerllm/command_args.py`): a flag may be shortened where that is unambiguous, the last
one of the same name counts, and every argument of `--infer_params` is split once more as a shell does.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry.document import Document
from reconciler.registry.imports.shell_commands import Command, Word
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

FLAGS: Mapping[str, Callable[[str], Any]] = {
    "ray_address": str,
    "model": str,
    "num_workers": int,
    "worker_concurrency": int,
    "gpus_per_worker": float,
    "cpus_per_worker": float,
    "model_path": str,
    "pretrained_model_type": str,
    "infer_backend": str,
    "infer_params": str,
    "file": str,
}
"""The flags of `byzerllm deploy` and how the text of each is read."""

MODEL = "MODEL"
"""The one argument that is no flag."""

EASY_FLAGS: Mapping[str, Callable[[str], Any]] = {
    MODEL: str,
    "token": str,
    "alias": str,
    "base_url": str,
    "ray_address": str,
    "infer_params": str,
}
"""Those of `easy-byzerllm deploy MODEL`."""

_GROUPS = ("backend", "saas")
"""What may stand before the `.` of a parameter, and says where it goes."""


@dataclass(slots=True)
class Arguments:
    """The arguments of one command as they are read: values, places, and what is wrong with them."""

    file: str
    value: dict[str, Any] = field(default_factory=dict)
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def set(self, path: KeyPath, value: Any, position: Position) -> None:
        """Put a value at a path."""
        mapping = self.value
        for length, step in enumerate(path[:-1], start=1):
            mapping = mapping.setdefault(str(step), {})
            self.positions.setdefault(path[:length], position)
        mapping[str(path[-1])] = value
        self.positions[path] = position

    def report(self, position: Position, message: str, hint: str | None = None) -> None:
        """An argument that cannot be read."""
        self.diagnostics.append(Diagnostic(position, "command-line", message, hint))

    def document(self) -> Document:
        """All of them as a document."""
        return Document(self.file, self.value, self.positions, frozenset())


def read_command(file: str, command: Command, flags: Mapping[str, Callable[[str], Any]]) -> Arguments:
    """The arguments behind the subcommand. A flag that is not in `flags` is read as text: it is known nowhere else."""
    arguments = Arguments(file)
    arguments.positions[()] = command.position
    for flag, words in _grouped(command, flags, arguments):
        unclear = [word for word in words if word.problem is not None]
        for word in unclear:
            arguments.report(word.position, f"{quoted(word.text)}: {word.problem}", "write the value out")
        if unclear:
            continue
        if flag.text == "infer_params":
            _read_parameters(arguments, flag, words)
        else:
            _read_value(arguments, flag, words, flags.get(flag.text))
    return arguments


def _grouped(
    command: Command, flags: Mapping[str, Callable[[str], Any]], arguments: Arguments
) -> Iterator[tuple[Word, list[Word]]]:
    """Each flag, by its full name, with the words that belong to it; a bare word is the value of the flag `MODEL`."""
    current: tuple[Word, list[Word]] | None = None
    for word in command.words[2:]:
        if word.text.startswith("--") and len(word.text) > 2:
            if current:
                yield current
            name, equals, value = word.text[2:].partition("=")
            current = (Word(_full_name(name, flags), word.position), [Word(value, word.position)] if equals else [])
        elif current is not None and (not current[1] or current[0].text == "infer_params"):
            current[1].append(word)
        elif MODEL in flags and (MODEL,) not in arguments.positions:
            yield Word(MODEL, word.position), [word]
        else:
            arguments.report(word.position, "no flag takes this word", "remove it, or write the flag before it")
    if current:
        yield current


def _full_name(name: str, flags: Mapping[str, Any]) -> str:
    matching = [flag for flag in flags if flag.startswith(name)]
    return matching[0] if len(matching) == 1 and name not in flags else name


def _read_value(arguments: Arguments, flag: Word, words: list[Word], convert: Callable[[str], Any] | None) -> None:
    name = flag.text
    if convert is None:
        arguments.set((name,), words[0].text if words else True, flag.position)
        return
    if not words or words[0].text == "":
        arguments.report(flag.position, f"`--{name}` has no value", f"write `--{name} ...`")
        return
    word = words[0]
    if (name,) in arguments.positions:
        first = arguments.positions[(name,)].line
        message = f"`--{name}` is given twice; the first, on line {first}, does not count"
        warning = Diagnostic(flag.position, "given-twice", message, "remove the first", Severity.WARNING)
        arguments.diagnostics.append(warning)
    try:
        value = convert(word.text)
    except ValueError:
        kind = "a whole number" if convert is int else "a number"
        arguments.report(word.position, f"`--{name}` wants {kind}, not {quoted(word.text)}")
        return
    arguments.set((name,), value, word.position)


def _read_parameters(arguments: Arguments, flag: Word, words: list[Word]) -> None:
    if not words:
        arguments.report(flag.position, "`--infer_params` has no value", "write `--infer_params name=value`")
    arguments.value.pop("infer_params", None)
    for word in words:
        try:
            parts = shlex.split(word.text)
        except ValueError as error:
            arguments.report(word.position, f"this parameter cannot be split: {str(error).lower()}")
            continue
        for item in parts:
            name, equals, value = item.partition("=")
            if not equals:
                # The word itself may be a secret.
                arguments.report(word.position, "this parameter has no `=`", "write `name=value`")
                continue
            arguments.set(parameter_path(name), value, word.position)


def parameter_path(name: str) -> KeyPath:
    """Where a parameter stands in the document: those for the backend and those for a service each in their group."""
    group, dot, rest = name.partition(".")
    return ("infer_params", group, rest) if dot and group in _GROUPS and rest else ("infer_params", name)


def is_in_clear(value: Any) -> bool:
    """Whether an argument is text that refers to no variable."""
    return isinstance(value, str) and bool(value) and "${env:" not in value

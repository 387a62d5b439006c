"""Byzer-LLM: the `byzerllm` and `easy-byzerllm` commands of a script, and the YAML of `byzerllm deploy --file`."""

import re
from collections.abc import Iterable, Mapping

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.registry import source_text
from reconciler.registry.dialects.translation import Fate, KeyFate, Translation
from reconciler.registry.document import Document
from reconciler.registry.imports.byzer_command import EASY_FLAGS, FLAGS, read_command
from reconciler.registry.imports.byzer_deployment import translate_deployment, translate_easy_deployment
from reconciler.registry.imports.byzer_file import from_yaml, with_file
from reconciler.registry.imports.checked_file import checked_file, shown_in_comment
from reconciler.registry.imports.imported import Imported, together
from reconciler.registry.imports.shell_commands import Command, assigned_variables, find_commands
from reconciler.registry.imports.source import Find, Source
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

_PROGRAMS = "(?:easy[-_])?byzerllm"
_CALL = re.compile(rf"(?:^|[\s;&|(/]){_PROGRAMS}[ \t]", re.MULTILINE)

_NO_DEPLOYMENTS: Mapping[str, tuple[str, str]] = {
    "undeploy": ("takes a model away", "what has no file is not served; there is nothing to import"),
    "query": ("asks a model", "ask the gateway: `POST /v1/chat/completions`"),
    "chat": ("asks a model", "ask the gateway: `POST /v1/chat/completions`"),
    "stat": ("shows a model's workers", "see `reconcile status`"),
    "serve": ("starts an OpenAI server", "the gateway is that server, and every cluster has it"),
    "storage": ("runs Byzer's storage", "it is no model"),
}
"""Subcommands that describe no model: what they do, and what takes their place."""

_SUBCOMMANDS = frozenset({"deploy", *_NO_DEPLOYMENTS})


def is_script(text: str) -> bool:
    """Whether a text calls one of the programs."""
    return _CALL.search(text) is not None


def import_script(source: Source, find: Find) -> Imported:
    """Every deployment of a script as a model file; every other call of the programs with a word on what it was."""
    text, problems = source_text.decode(source.file, source.content)
    if text is None:
        return Imported((), (), problems)
    commands = find_commands(source.file, text, _PROGRAMS, _SUBCOMMANDS)
    assigned = assigned_variables(source.file, text)
    return together(
        [
            Imported((), (), problems),
            *(_import_command(source.file, command, find) for command in commands),
            Imported((), (), tuple(_tell_variables(text, assigned))),
        ]
    )


def import_arguments(source: Source, document: Document) -> Imported:
    """The model that a YAML file of arguments deploys."""
    arguments, origin = from_yaml(document), f"{shown_in_comment(source.file)}, arguments of `byzerllm deploy`"
    return _deployment(arguments, translate_deployment(arguments), (), origin)


def _import_command(file: str, command: Command, find: Find) -> Imported:
    program = command.words[0].text.rpartition("/")[2].replace("_", "-")
    subcommand = command.words[1].text if len(command.words) > 1 else ""
    if subcommand != "deploy":
        return _no_deployment(program, subcommand, command.position)
    origin = f"{shown_in_comment(file)}:{command.position.line}, `{program} deploy`"
    if program.startswith("easy"):
        arguments = read_command(file, command, EASY_FLAGS)
        document = arguments.document()
        return _deployment(document, translate_easy_deployment(document), arguments.diagnostics, origin)
    arguments = read_command(file, command, FLAGS)
    document, problems, fates = with_file(arguments, find)
    imported = _deployment(document, translate_deployment(document), problems, origin)
    return Imported(imported.files, (*fates, *imported.fates), imported.diagnostics)


def _no_deployment(program: str, subcommand: str, position: Position) -> Imported:
    name = f"{program} {subcommand}".rstrip()
    path: KeyPath = (name,)
    if subcommand in _NO_DEPLOYMENTS:
        does, hint = _NO_DEPLOYMENTS[subcommand]
        message = f"`{name}` {does}: it describes no model"
        fate = KeyFate(path, position, Fate.OBSOLETE, None, message)
        return Imported((), (fate,), (Diagnostic(position, "no-deployment", message, hint, Severity.WARNING),))
    message = f"{quoted(name)} is no command of byzerllm"
    fate = KeyFate(path, position, Fate.REFUSED, None, message)
    return Imported((), (fate,), (Diagnostic(position, "command-line", message, "write `byzerllm deploy ...`"),))


def _deployment(document: Document, found: Translation, problems: Iterable[Diagnostic], origin: str) -> Imported:
    translation = Translation(found.dialect, found.value, found.positions, found.fates, (*problems, *found.diagnostics))
    return checked_file(document, translation, [f"Imported from {origin}."])


def _tell_variables(text: str, assigned: Mapping[str, Position]) -> Iterable[Diagnostic]:
    for name, position in assigned.items():
        if re.search(rf"{_PROGRAMS}\b(?:[^\n]|\\\n)*\$\{{?{name}\b", text):
            message = f"{quoted(name)} is set in the script, which the cluster's nodes do not read"
            hint = f"set it in their environment; the files hold `${{env:{name}}}`"
            yield Diagnostic(position, "script-variable", message, hint, Severity.WARNING)

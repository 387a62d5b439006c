"""`reconcile chat`: a conversation with a model."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from reconciler.cli.asking import CHAT_PATH, EMBEDDING, given, helped, open_gateway, sampling_options
from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.failure import Failure
from reconciler.cli.options import cluster_option, registry_option
from reconciler.cli.say_answer import say_answer
from reconciler.serve.errors import ServeError
from reconciler.serve.gateway import Gateway

_COMMANDS = {
    "/reset": "forget the conversation",
    "/exit": "end; Ctrl-D does the same",
    "/help": "show this",
}


@click.command(short_help="Talk with a model, through the gateway")
@click.argument("model")
@registry_option
@cluster_option
@sampling_options
@click.pass_obj
def command(
    environment: Environment,
    model: str,
    registry_root: Path,
    cluster_name: str | None,
    system: str | None,
    max_tokens: int | None,
    temperature: float | None,
) -> int:
    """Talk with MODEL, an id or an alias. A line that ends in a backslash goes on in the next one.

    Ctrl-C stops an answer, Ctrl-D or /exit ends, /reset forgets the conversation. Where stdin is no terminal each of
    its lines is a question, and the first one that is refused ends it.
    """
    console = environment.console
    with open_gateway(environment, registry_root, cluster_name) as gateway:
        talk = _Talk(gateway, console, model, system, given(max_tokens=max_tokens, temperature=temperature))
        try:
            if gateway.kind(model) == EMBEDDING:
                raise Failure(f"`{model}` makes vectors and does not talk", f"`reconcile query {model} TEXT` shows one")
        except ServeError as error:
            raise helped(error, model, gateway) from error
        if console.can_ask:
            console.note(f"{model} at {gateway.address}; /help lists what else may be typed")
        while (line := _next(console)) is not None and line != "/exit":
            if line == "/reset":
                talk.reset()
            elif line == "/help":
                console.note("\n".join(f"{name:<8}{what}" for name, what in _COMMANDS.items()))
            elif line.strip():
                talk.ask(line)
    return 0


@dataclass
class _Talk:
    """A conversation so far."""

    gateway: Gateway
    console: Console
    model: str
    system: str | None
    fields: dict[str, Any]
    turns: list[dict[str, str]] = field(default_factory=list)

    def reset(self) -> None:
        """Forget what was said."""
        self.turns.clear()
        self.console.note("the conversation begins anew")

    def ask(self, question: str) -> None:
        """Ask, print the answer and remember both. An answer that was stopped counts as far as it went; a question that
        was refused was never asked. Raises `Failure` where nobody can ask again."""
        before = [{"role": "system", "content": self.system}] if self.system is not None else []
        messages = [*before, *self.turns, {"role": "user", "content": question}]
        said: list[str] = []
        try:
            body = {"model": self.model, "messages": messages, **self.fields}
            say_answer(self.gateway.pieces(CHAT_PATH, body), self.console, said)
        except KeyboardInterrupt:
            if not self.console.can_ask:
                raise
            self.console.note("stopped")
        except ServeError as error:
            failure = helped(error, self.model, self.gateway)
            if not self.console.can_ask:
                raise failure from error
            self.console.error(failure.message, failure.hint)
        if said:
            self.turns += [{"role": "user", "content": question}, {"role": "assistant", "content": "".join(said)}]


def _next(console: Console) -> str | None:
    """What is asked next, None at the end. Ctrl-C while somebody types forgets the line."""
    lines: list[str] = []
    while True:
        try:
            line = console.line("... " if lines else ">>> ")
        except KeyboardInterrupt:
            if not console.can_ask:
                raise
            console.note("")
            lines.clear()
            continue
        if line is None:
            if console.can_ask:
                console.note("")
            return "\n".join(lines) if lines else None
        if not line.endswith("\\"):
            return "\n".join([*lines, line])
        lines.append(line[:-1])

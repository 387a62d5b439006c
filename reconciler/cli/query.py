"""`reconcile query`: one question to a model."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from reconciler.cli.asking import CHAT_PATH, EMBEDDING, given, helped, open_gateway, sampling_options
from reconciler.cli.environment import Environment
from reconciler.cli.failure import WrongUsage
from reconciler.cli.options import cluster_option, format_option, registry_option
from reconciler.cli.say_answer import say_answer
from reconciler.serve.errors import ServeError
from reconciler.serve.gateway import Gateway, Piece, pieces_of

_EMBEDDINGS_PATH = "/v1/embeddings"


@click.command(short_help="Ask a model one question, through the gateway")
@click.argument("model")
@click.argument("text")
@registry_option
@cluster_option
@sampling_options
@click.option("--raw", is_flag=True, help="Have the model go on with TEXT as it is: no conversation, no prompt format.")
@click.option(
    "--stream/--no-stream",
    default=None,
    help="Show the answer as it comes, or when it is complete; else on a terminal.",
)
@format_option("text", "json")
@click.pass_obj
def command(
    environment: Environment,
    model: str,
    text: str,
    registry_root: Path,
    cluster_name: str | None,
    system: str | None,
    max_tokens: int | None,
    temperature: float | None,
    raw: bool,
    stream: bool | None,
    output: str,
) -> int:
    """Ask MODEL, an id or an alias, and print its answer. TEXT `-` is stdin.

    An embedding model answers with the vector of TEXT. `--format json` prints the gateway's answer as it is. The
    question counts as a use of the model.
    """
    console = environment.console
    if raw and system is not None:
        raise WrongUsage("`--raw` sends no conversation, so there is no place for `--system`")
    if stream and output == "json":
        raise WrongUsage("`--format json` is the whole answer; it goes with `--no-stream`")
    asked = console.read() if text == "-" else text
    fields = given(max_tokens=max_tokens, temperature=temperature)
    with open_gateway(environment, registry_root, cluster_name) as gateway:
        try:
            body: dict[str, Any] = {"model": model, **fields}
            if gateway.kind(model) == EMBEDDING:
                if raw or system is not None or fields:
                    raise WrongUsage(f"`{model}` makes vectors: it takes no options of a conversation")
                path, body["input"] = _EMBEDDINGS_PATH, asked
            elif raw:
                path, body["prompt"] = "/v1/completions", asked
            else:
                path, body["messages"] = CHAT_PATH, conversation(asked, system)
            streamed = console.is_read_by_person if stream is None else stream
            if output == "json" or path == _EMBEDDINGS_PATH:
                console.out(_document(gateway.answer(path, body), output) + "\n")
            else:
                say_answer(_pieces(gateway, path, body, streamed), console)
        except ServeError as error:
            raise helped(error, model, gateway) from error
    return 0


def conversation(question: str, system: str | None) -> list[dict[str, str]]:
    """The messages of one question."""
    before = [{"role": "system", "content": system}] if system is not None else []
    return [*before, {"role": "user", "content": question}]


def _pieces(gateway: Gateway, path: str, body: Mapping[str, Any], streamed: bool) -> Iterable[Piece]:
    return gateway.pieces(path, body) if streamed else _at_once(gateway.answer(path, body))


def _at_once(answer: Mapping[str, Any]) -> Iterator[Piece]:
    yield from pieces_of(answer)


def _document(answer: Mapping[str, Any], output: str) -> str:
    if output == "json":
        return json.dumps(answer, indent=2, ensure_ascii=False)
    return json.dumps(answer["data"][0]["embedding"])

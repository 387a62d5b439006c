"""What `query` and `chat` share: the gateway of a cluster, and what may be done about what it refuses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import Failure
from reconciler.cli.options import Command
from reconciler.cli.session import choose_cluster, load_registry
from reconciler.serve.connect import gateway_access
from reconciler.serve.errors import GatewayRefused, ServeError
from reconciler.serve.gateway import Gateway

EMBEDDING = "embedding"
CHAT_PATH = "/v1/chat/completions"


@contextmanager
def open_gateway(environment: Environment, root: Path, cluster_name: str | None) -> Iterator[Gateway]:
    """The gateway of the chosen cluster. Only its address is taken from the registry: what is asked is up to it."""
    entry = choose_cluster(load_registry(root, environment), cluster_name)
    address, token = gateway_access(entry, env=environment.variables, local_directory=environment.local_directory)
    gateway = Gateway(address, token=token)
    try:
        yield gateway
    finally:
        gateway.close()


def sampling_options(command: Command) -> Command:
    """`--system`, `--max-tokens` and `--temperature`; what is not given is up to the model's file."""
    for option in (
        click.option("--temperature", type=click.FloatRange(min=0), metavar="T", help="0 for the likeliest answer."),
        click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="The most tokens of an answer."),
        click.option("--system", metavar="TEXT", help="What the model is told before the conversation."),
    ):
        command = option(command)
    return command


def given(**fields: Any) -> dict[str, Any]:
    """The fields of a request that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def helped(error: ServeError, model: str, gateway: Gateway) -> Failure:
    """An error of the gateway in its own words, with what may be done about it. Asks which models there are where the
    model is not known."""
    if isinstance(error, GatewayRefused):
        return Failure(error.message, _hint(error, model, gateway.models))
    return Failure(error.message, error.hint)


def _hint(error: GatewayRefused, model: str, models: Callable[[], list[str]]) -> str | None:
    if error.status == 404:
        near = get_close_matches(model, _known(models), n=1)
        meant = f"did you mean `{near[0]}`? " if near else ""
        return f"{meant}`reconcile status` shows what runs"
    if error.status in (401, 403):
        return "the gateway, or what stands in front of it, wants a key"
    if error.status == 400 and "chat template" in error.message.lower():
        return "the model takes no conversations: `reconcile query --raw` has it go on with a text"
    if error.status >= 500 or error.status == 429:
        return f"`reconcile status {model}` shows the model's replicas"
    return None


def _known(models: Callable[[], list[str]]) -> list[str]:
    try:
        return models()
    except ServeError:
        return []

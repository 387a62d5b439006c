"""`reconcile key`: a key for the gateway."""

import re
import secrets
from hashlib import sha256

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import WrongUsage

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""What `registry.cluster.GatewayKey` takes, whose import costs a tenth of a second."""

_BYTES = 32
"""Of chance in a key: so many that a digest without salt gives nothing away."""


@click.command(short_help="Make a key for the gateway, and the lines of the cluster file for it")
@click.argument("name")
@click.option(
    "models",
    "--model",
    multiple=True,
    metavar="PATTERN",
    help="Id of a model that it is for, or a pattern with `*` and `?`. May be given several times; else all models.",
)
@click.pass_obj
def command(environment: Environment, name: str, models: tuple[str, ...]) -> int:
    """Make a key for the client NAME: the key on standard output, this once, and on standard error the lines for
    `gateway.keys` of the cluster file, which hold its digest.

    `reconcile key ci > key.txt` keeps it off the terminal.
    """
    if not _NAME.fullmatch(name):
        raise WrongUsage(
            f"`{name}` cannot be the name of a key",
            "write up to 63 letters, digits, `.`, `_` and `-`, beginning with a letter or a digit",
        )
    key = f"sk-{secrets.token_urlsafe(_BYTES)}"
    environment.console.out(f"{key}\n")
    environment.console.note("\n".join(_lines(name, sha256(key.encode()).hexdigest(), models)))
    return 0


def _lines(name: str, digest: str, models: tuple[str, ...]) -> list[str]:
    # Quoted, because a pattern may begin with `*`, and a name or a digest may look like a number.
    chosen = [f"      models: [{', '.join(_quoted(model) for model in models)}]"] if models else []
    return [
        "add to the cluster file, below `gateway`:",
        "  keys:",
        f"    - name: {_quoted(name)}",
        f"      sha256: {_quoted(digest)}",
        *chosen,
    ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""The entry point: runs one command, and is the only place that catches errors and picks the exit code."""

import os
import sys
from collections.abc import Sequence

import click

from reconciler.cli.environment import Environment, process_environment
from reconciler.cli.failure import FAILED, INTERRUPTED, WRONG_USAGE, WrongUsage, explained
from reconciler.cli.root import root


def main(arguments: Sequence[str] | None = None, environment: Environment | None = None) -> int:
    """Run `reconcile` with the arguments (those of the process by default); the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    environment = environment or process_environment()
    debug = environment.variables.get("RECONCILER_DEBUG") == "1" or "--debug" in words
    words = [word for word in words if word != "--debug"]
    console = environment.console
    try:
        return root.main(words, prog_name="reconcile", standalone_mode=False, obj=environment) or 0
    except BrokenPipeError:
        return _reader_left()
    except SystemExit:
        # click ends the process itself when the reader of a pipe has gone.
        return _reader_left()
    except (click.Abort, KeyboardInterrupt):
        console.note("interrupted")
        return INTERRUPTED
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "reconcile"
        console.error(error.format_message(), f"`{command} --help` lists what there is")
        return WRONG_USAGE
    except Exception as error:
        if debug:
            import traceback

            console.note(traceback.format_exc().rstrip())
        failure = explained(error)
        if failure is None:
            console.error(
                f"unexpected {type(error).__name__}: {error}",
                None if debug else "this is a bug in reconcile; `reconcile --debug ...` shows where it happened",
            )
        elif failure.message:
            console.error(failure.message, failure.hint)
        return WRONG_USAGE if isinstance(failure, WrongUsage) else FAILED


def _reader_left() -> int:
    """Nobody reads on. Python would complain once more when it flushes stdout at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED

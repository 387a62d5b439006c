"""The entry point: runs one command, and is the only place that catches errors and picks the exit code."""

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from reconciler.cli.environment import Environment, process_environment
from reconciler.cli.failure import FAILED, INTERRUPTED, WRONG_USAGE, WrongUsage, explained
from reconciler.cli.root import root


def script() -> NoReturn:
    """The command of a shell. Its process ends without taking apart all that was read, which would be a fifth of a
    short run: everything is written and closed by then."""
    # Looking for pydantic's plugins, which are none of ours, reads what every installed package says of itself.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None, environment: Environment | None = None) -> int:
    """Run `reconcile` with the arguments (those of the process by default); the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    environment = environment or process_environment()
    debug = environment.variables.get("RECONCILER_DEBUG") == "1" or "--debug" in words
    words = [word for word in words if word != "--debug"]
    console = environment.console
    # What a command reads are thousands of small values and no circles; the collector would walk them again and again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return root.main(words, prog_name="reconcile", standalone_mode=False, obj=environment) or 0
    except BrokenPipeError:
        console.reader_left()
        return FAILED
    except SystemExit:
        # click ends the process itself when the reader of a pipe has gone.
        console.reader_left()
        return FAILED
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
    finally:
        if collecting:
            gc.enable()

"""`reconcile plan`: what would be done, without doing it; and its commands about plans."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from reconciler.cli.failure import WrongUsage
from reconciler.cli.lazy_group import Entry, LazyGroup
from reconciler.cli.options import (
    allow_options,
    cluster_option,
    detailed_exitcode_option,
    format_option,
    models_option,
    registry_option,
)

COMMANDS = {
    "explain": Entry("reconciler.cli.plan_explain", "Say why each changed field of a model has its impact"),
    "show": Entry("reconciler.cli.plan_show", "Show a saved plan file"),
}


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    short_help="Compare the registry with the cluster and say what would be done",
)
@registry_option
@cluster_option
@models_option("Plan")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan for `reconcile apply FILE`."
)
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask no cluster; compare with what `reconcile snapshot` saved.",
)
@allow_options
@format_option("text", "json", "markdown")
@detailed_exitcode_option("are changes")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Compare the registry with the cluster and say what would be done.

    Without COMMAND the plan is made and shown; nothing is changed.
    """
    if context.invoked_subcommand is None:
        # Imported here, so that `plan show` starts without it.
        from reconciler.cli.make_plan import make_plan

        return make_plan(context.obj, **options)
    _refuse_options(context, context.invoked_subcommand)
    return 0


def _refuse_options(context: click.Context, command: str) -> None:
    """Raise WrongUsage for an option in front of the command, which would be dropped otherwise."""
    for parameter in context.command.params:
        if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE:
            raise WrongUsage(
                f"`{parameter.opts[0]}` stands before `{command}`, where it means nothing",
                f"options of `{command}` stand behind it; `reconcile plan {command} --help` lists them",
            )

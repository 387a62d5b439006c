"""`reconcile explain`: what every key of one model file means."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED
from reconciler.cli.options import format_option
from reconciler.cli.source_lines import source_lines
from reconciler.diagnostics import has_errors
from reconciler.registry.explanation import explain
from reconciler.registry.source_text import MAX_BYTES
from reconciler.views.diagnostics_text import diagnostics_text
from reconciler.views.explain_json import explain_json
from reconciler.views.explain_text import explain_text

_SAID_IN_TABLE = "obsolete-key"


@click.command(short_help="Say of every key of a model file what it means today")
@click.argument("file", type=click.Path(path_type=Path))
@format_option("text", "json")
@click.pass_obj
def command(environment: Environment, file: Path, output: str) -> int:
    """Say of every key of a model file, in whichever format it is written, what becomes of it and why.

    FILE may lie anywhere. Exits with 1 when any of its keys is refused.
    """
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    explanation = explain(str(file), content)
    console = environment.console
    if output == "json":
        console.out(explain_json(explanation))
    else:
        if explanation.dialect is not None:
            console.out(explain_text(explanation, console.out_style))
        shown = [diagnostic for diagnostic in explanation.diagnostics if diagnostic.rule != _SAID_IN_TABLE]
        if shown:
            console.out("\n" + diagnostics_text(shown, source_lines(shown), console.out_style))
    return FAILED if has_errors(explanation.diagnostics) else 0

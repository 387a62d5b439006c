"""`reconcile validate`: everything that is wrong with the registry, without any cluster."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, WrongUsage
from reconciler.cli.options import format_option, registry_option
from reconciler.cli.source_lines import source_lines
from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.loader import load
from reconciler.views.diagnostics_github import diagnostics_github
from reconciler.views.diagnostics_json import diagnostics_json
from reconciler.views.diagnostics_text import diagnostics_text, summary_line


@click.command(short_help="Check the registry and say what is wrong, line by line")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@registry_option
@format_option("text", "json", "github")
@click.option("--strict", is_flag=True, help="Fail on warnings as well.")
@click.pass_obj
def command(environment: Environment, paths: tuple[Path, ...], registry_root: Path, output: str, strict: bool) -> int:
    """Check the registry and say what is wrong, line by line.

    The whole registry is read, because models are checked against each other. With PATHS only the problems in these
    files or folders are shown and counted.
    """
    loaded = load(registry_root)
    diagnostics = _within(loaded.diagnostics, paths)
    registry = loaded.registry
    models = None if registry is None else len(registry.models)
    clusters = None if registry is None else len(registry.clusters)
    console = environment.console
    if output == "json":
        console.out(diagnostics_json(diagnostics, models, clusters))
    elif output == "github":
        console.out(diagnostics_github(diagnostics))
    else:
        if diagnostics:
            console.out(diagnostics_text(diagnostics, source_lines(diagnostics), console.out_style) + "\n")
        console.out(summary_line(diagnostics, models, clusters) + "\n")
    return FAILED if has_errors(diagnostics) or (strict and diagnostics) else 0


def _within(diagnostics: tuple[Diagnostic, ...], paths: tuple[Path, ...]) -> tuple[Diagnostic, ...]:
    for path in paths:
        if not path.exists():
            raise WrongUsage(f"`{path}` does not exist")
    if not paths:
        return diagnostics
    wanted = [path.resolve() for path in paths]
    return tuple(
        diagnostic
        for diagnostic in diagnostics
        if any(Path(diagnostic.position.file).resolve().is_relative_to(path) for path in wanted)
    )

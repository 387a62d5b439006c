"""`reconcile validate`: everything that is wrong with the registry, without any cluster."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, WrongUsage
from reconciler.cli.options import format_option, registry_option
from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.survey import Survey, survey


@click.command(short_help="Check the registry and say what is wrong, line by line")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@registry_option
@format_option("text", "json", "github", "sarif", "junit")
@click.option("--strict", is_flag=True, help="Fail on warnings as well.")
@click.option("--no-cache", is_flag=True, help="Look into every file anew, and remember nothing.")
@click.option("--rules", is_flag=True, help="List all rules with what they ask for, and check nothing.")
@click.pass_obj
def command(
    environment: Environment,
    paths: tuple[Path, ...],
    registry_root: Path,
    output: str,
    strict: bool,
    no_cache: bool,
    rules: bool,
) -> int:
    """Check the registry and say what is wrong, line by line.

    The whole registry is read, because models are checked against each other. With PATHS only the problems in these
    files or folders are shown and counted. What was found in files that did not change since is remembered in
    .reconciler/cache (or RECONCILER_CACHE_DIR), which may be deleted at any time.
    """
    if rules:
        environment.console.out(_rules(environment))
        return 0
    found = _within(survey(registry_root, None if no_cache else environment.cache_directory), paths)
    environment.console.out(_said(environment, found, output, strict))
    return FAILED if has_errors(found.diagnostics) or (strict and found.diagnostics) else 0


def _rules(environment: Environment) -> str:
    from reconciler.registry.rules import RULES
    from reconciler.views.rules_text import rules_text

    return rules_text(RULES.values(), environment.console.out_style)


def _said(environment: Environment, found: Survey, output: str, strict: bool) -> str:
    """The survey in a format. Each view is imported when it is asked for."""
    if output == "json":
        from reconciler.views.diagnostics_json import diagnostics_json

        return diagnostics_json(found.diagnostics, found.models, found.clusters, found.waived)
    if output == "github":
        from reconciler.views.diagnostics_github import diagnostics_github

        return diagnostics_github(found.diagnostics)
    if output == "junit":
        from reconciler.views.diagnostics_junit import diagnostics_junit

        return diagnostics_junit(found.diagnostics, found.files, strict=strict)
    if output == "sarif":
        from reconciler.cli.repository_uri import repository_uri
        from reconciler.registry.rules import RULES
        from reconciler.views.diagnostics_sarif import diagnostics_sarif

        return diagnostics_sarif(found.diagnostics, found.waived, RULES, repository_uri(Path()))
    from reconciler.views.diagnostics_text import diagnostics_text, summary_line

    text = summary_line(found.diagnostics, found.models, found.clusters, len(found.waived)) + "\n"
    if not found.diagnostics:
        return text
    from reconciler.cli.source_lines import source_lines

    lines = source_lines(found.diagnostics)
    return diagnostics_text(found.diagnostics, lines, environment.console.out_style) + "\n" + text


def _within(found: Survey, paths: tuple[Path, ...]) -> Survey:
    """What of the survey is about these files and folders."""
    for path in paths:
        if not path.exists():
            raise WrongUsage(f"`{path}` does not exist")
    if not paths:
        return found
    wanted = [path.resolve() for path in paths]

    def chosen(file: str) -> bool:
        return any(Path(file).resolve().is_relative_to(path) for path in wanted)

    diagnostics: tuple[Diagnostic, ...] = tuple(each for each in found.diagnostics if chosen(each.position.file))
    waived = tuple(each for each in found.waived if chosen(each.diagnostic.position.file))
    files = tuple(file for file in found.files if chosen(file))
    return Survey(diagnostics, waived, files, found.models, found.clusters)

"""`reconcile ci issue`: one issue about drift, open while there is any."""

from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.forge_of import forge_of
from reconciler.cli.read_report import read_report
from reconciler.forge.github import GitHub
from reconciler.forge.keep import keep_issue
from reconciler.views.drift_issue import drift_issue, issue_mark


@click.command(short_help="Keep one issue about drift open while there is any")
@click.argument("report_file", type=click.Path(path_type=Path), metavar="REPORTFILE")
@click.option("--dry-run", is_flag=True, help="Print the issue; ask nothing of the forge.")
@click.pass_obj
def command(environment: Environment, report_file: Path, dry_run: bool) -> int:
    """Keep one issue about the drift in REPORTFILE: opened or updated while there is any, closed when there is none.

    REPORTFILE is what `reconcile drift --format json` printed. GitHub wants GITHUB_TOKEN, GitLab GITLAB_TOKEN.
    """
    report = read_report(report_file)
    console = environment.console
    if dry_run:
        title, body = drift_issue(report, GitHub.limit)
        console.out(f"{title}\n\n{body}" if report.has_drift else "no issue: there is no drift\n")
        return 0
    forge = forge_of(environment.variables, needs_number=False)
    title, body = drift_issue(report, forge.limit)
    kept = keep_issue(forge, issue_mark(report.cluster), title, body if report.has_drift else None)
    console.note("no drift, and no issue about any" if kept is None else f"issue {kept.deed}: {kept.url}")
    return 0

"""`reconcile drift`: what moved on the cluster though nobody merged anything."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.cli.applied_states import applied_states
from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.failure import CHANGES, FAILED, WrongUsage
from reconciler.cli.options import cluster_option, detailed_exitcode_option, format_option, registry_option
from reconciler.cli.read_report import read_report
from reconciler.cli.session import Session, open_session
from reconciler.diagnostics import Position
from reconciler.drift.applied import Applied
from reconciler.drift.compare import Background, find_drift
from reconciler.drift.encode import drift_json
from reconciler.drift.ignore import IgnoreRule
from reconciler.drift.report import SUBMITTED, DriftReport
from reconciler.registry.cluster import Cluster
from reconciler.registry.folder import CLUSTERS_FOLDER
from reconciler.registry.registry import ClusterEntry
from reconciler.registry.revision import revision
from reconciler.registry.tables import LLAMA_CPP_VERSION, VLLM_VERSION, ray_table
from reconciler.state.live import LiveState
from reconciler.state.provenance import history


@click.command(short_help="Say what moved on the cluster though nobody merged anything")
@registry_option
@cluster_option
@format_option("text", "json", "markdown", "html", "sarif", "junit", "prometheus")
@click.option(
    "--earlier",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="An earlier report as --format json printed it, for the history on the HTML page; may be given often.",
)
@click.option(
    "--report",
    "saved",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Ask no cluster; show the report that --format json printed into FILE.",
)
@click.option(
    "--accept",
    is_flag=True,
    help="Write what was changed on the cluster into the model files, comments kept, for a pull request.",
)
@detailed_exitcode_option("is drift")
@click.pass_obj
def command(
    environment: Environment,
    registry_root: Path,
    cluster_name: str | None,
    output: str,
    earlier: tuple[Path, ...],
    saved: Path | None,
    accept: bool,
    detailed_exitcode: bool,
) -> int:
    """Say what moved on the cluster though nobody merged anything.

    Three states are compared: what the registry says, what the last apply put there (its commit, from git), and what
    is live. So a change behind the registry's back is told apart from one that is merged and not applied yet.
    """
    if earlier and output != "html":
        raise WrongUsage("`--earlier` is for the history on the HTML page", "add `--format html`")
    if accept and saved:
        raise WrongUsage("`--accept` needs the cluster as it is now", "leave out `--report`")
    console = environment.console
    if saved is not None:
        report = read_report(saved)
        cluster_file = Position(f"{registry_root}/{CLUSTERS_FOLDER}/{report.cluster}.yaml", 1, 1)
    else:
        with open_session(environment, registry_root, cluster_name) as session:
            live = session.live()
            applies, report = drift_report(session, live)
            _say_expired(session.target.entry, console)
            cluster_file = session.target.entry.position()
            if accept:
                from reconciler.cli.accept_drift import accept_drift

                done = accept_drift(session.target, live, report, applies, console)
                return 0 if done else FAILED
    console.out(_page(report, earlier) if output == "html" else _said(report, output, cluster_file, console))
    return CHANGES if detailed_exitcode and report.has_drift else 0


def drift_report(session: Session, live: LiveState) -> tuple[Sequence[Applied], DriftReport]:
    """Compare, and the earlier applies that it rests on. Git is asked for those only where something differs."""
    target = session.target
    now = datetime.now(UTC)
    background = Background(
        rules=_rules(target.entry.cluster, now),
        defaults=ray_table().deployment_defaults,
        registry_commit=revision(target.root).commit,
        time=now.isoformat(timespec="seconds"),
        work=session.connection.work(),
        checked={"vllm": VLLM_VERSION, "xllamacpp": LLAMA_CPP_VERSION},
    )
    report = find_drift(target.desired, live, background)
    if not any(finding.kind in SUBMITTED for finding in (*report.findings, *(one.finding for one in report.ignored))):
        # Nobody moved what was submitted, so nobody needs to know what it was; only when it was.
        record = next(iter(history(live, target.desired.owner)), None)
        if record is None or record.dirty:
            return (), report
        return (), replace(report, applied_commit=record.commit, applied_time=record.commit and record.time)
    applies = applied_states(target, live)
    return applies, find_drift(target.desired, live, replace(background, applies=applies)) if applies else report


def _rules(cluster: Cluster, now: datetime) -> tuple[IgnoreRule, ...]:
    """The rules that hold today."""
    today = now.date().isoformat()
    return tuple(
        IgnoreRule(rule.application, rule.path, rule.reason)
        for rule in cluster.drift.ignore
        if rule.expires is None or rule.expires >= today
    )


def _say_expired(entry: ClusterEntry, console: Console) -> None:
    today = datetime.now(UTC).date().isoformat()
    for number, rule in enumerate(entry.cluster.drift.ignore):
        if rule.expires is not None and rule.expires < today:
            place = entry.position(("drift", "ignore", number))
            console.note(f"{place}: what ignores `{rule.application}` expired on {rule.expires}; remove it or renew it")


def _page(report: DriftReport, earlier: tuple[Path, ...]) -> str:
    from reconciler.views.drift_html import drift_html

    return drift_html(report, [read_report(path) for path in earlier])


def _said(report: DriftReport, output: str, cluster_file: Position, console: Console) -> str:
    """The report in a format. Each view is imported when it is asked for."""
    if output == "json":
        return json.dumps(drift_json(report), indent=2, ensure_ascii=False) + "\n"
    if output == "markdown":
        from reconciler.views.drift_markdown import drift_markdown

        return drift_markdown(report)
    if output == "prometheus":
        from reconciler.views.drift_prometheus import drift_prometheus

        return drift_prometheus(report)
    if output == "text":
        from reconciler.views.drift_text import drift_text

        return drift_text(report, console.out_style)
    from reconciler.views.drift_diagnostics import DRIFT_RULES, drift_diagnostics

    diagnostics, waived = drift_diagnostics(report, cluster_file)
    if output == "junit":
        from reconciler.views.diagnostics_junit import diagnostics_junit

        files = [member.position.file for member in report.fleet if member.position]
        return diagnostics_junit(diagnostics, files, strict=True, suite_name="reconcile drift")
    from reconciler.cli.repository_uri import repository_uri
    from reconciler.views.diagnostics_sarif import diagnostics_sarif

    more = "`reconcile drift` shows it, and what mends it."
    return diagnostics_sarif(diagnostics, waived, DRIFT_RULES, repository_uri(Path()), more)

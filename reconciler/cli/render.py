"""`reconcile render`: the very document that an apply would send."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import click
import yaml

from reconciler.cli.environment import Environment
from reconciler.cli.failure import WrongUsage
from reconciler.cli.options import allow_options, cluster_option, format_option, models_option, registry_option
from reconciler.cli.planned import planned
from reconciler.cli.session import open_session, open_target
from reconciler.plan.document import document, live_configs
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.plan.selection import select
from reconciler.state.desired import DesiredState
from reconciler.state.json_value import JsonValue
from reconciler.state.live import LiveState
from reconciler.views.printable import plural
from reconciler.views.sendable import Sendable

NOTHING_LIVE = LiveState("", (), (), {})
"""What is known of a cluster that is not asked."""

Json = Mapping[str, JsonValue]


@click.command(short_help="Print the document that apply would send")
@registry_option
@cluster_option
@models_option("Print")
@click.option(
    "--offline", is_flag=True, help="Ask nothing of the cluster: print the applications that the registry calls for."
)
@click.option(
    "--step",
    type=click.IntRange(min=1),
    metavar="N",
    help="The document of that step; else the last one's.",
)
@allow_options
@format_option("yaml", "json")
@click.pass_obj
def command(
    environment: Environment,
    /,
    registry_root: Path,
    cluster_name: str | None,
    models: tuple[str, ...],
    offline: bool,
    step: int | None,
    output: str,
    **allowed: bool,
) -> int:
    """Print the document that apply would send: every application that is on the cluster afterwards, and the options of
    Serve. Only the record of who applied is missing, which holds the time.

    What others deployed is part of it, because Ray deletes what is not listed; their secrets and the values of their
    variables are hidden. `serve deploy` takes the same form.
    """
    if offline and (step is not None or any(allowed.values())):
        raise WrongUsage("without a cluster there is no plan", "leave out `--offline`, or `--step` and the permissions")
    if offline:
        desired, live = open_target(environment, registry_root, cluster_name).desired, NOTHING_LIVE
        found: Json = {"applications": [entry.application.config for entry in desired.applications]}
    else:
        with open_session(environment, registry_root, cluster_name) as session:
            desired = session.target.desired
            live, plan = planned(session, PlanOptions(models=(), **allowed), environment)
        found = _document(plan, live, step)
        _note(environment, plan, step)
    sendable = Sendable(desired)
    shown = sendable.shown(_only(found, models, desired, live))
    if output == "json":
        environment.console.out(json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    else:
        environment.console.out(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=120))
    if sendable.hidden:
        environment.console.note(f"{plural(sendable.hidden, 'value')} hidden; the document is sent with what they are")
    return 0


def _document(plan: Plan, live: LiveState, step: int | None) -> Json:
    """The document of a step, or of the last one; what is live where nothing would be sent."""
    if step is not None and step > len(plan.waves):
        raise WrongUsage(f"the plan has {plural(len(plan.waves), 'step')}", "`reconcile plan` shows them")
    if not plan.waves:
        return document(live, live_configs(live))
    return plan.waves[(step or 0) - 1].document


def _note(environment: Environment, plan: Plan, step: int | None) -> None:
    if not plan.waves:
        environment.console.note("nothing would be sent; this is what is live")
    elif step is None and len(plan.waves) > 1:
        environment.console.note(f"the last of {len(plan.waves)} documents; `--step N` prints another")
    if plan.holds:
        environment.console.note(f"{plural(len(plan.holds), 'action')} held: these applications are as they are live")


def _only(found: Json, models: Collection[str], desired: DesiredState, live: LiveState) -> Json:
    """The document with the chosen applications alone, where any were chosen."""
    selection = select(models, desired, live)
    if selection is None:
        return found
    return {"applications": [config for config in found["applications"] if config["name"] in selection.chosen]}

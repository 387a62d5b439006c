"""`reconcile plan explain`: why a plan does what it does to one model."""

import json
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import WrongUsage
from reconciler.cli.options import allow_options, cluster_option, format_option, registry_option
from reconciler.cli.planned import planned
from reconciler.cli.session import open_session
from reconciler.plan.explanation import explain
from reconciler.plan.options import PlanOptions
from reconciler.plan.selection import select
from reconciler.views.explanation_json import explanation_json
from reconciler.views.explanation_text import explanation_text


@click.command(short_help="Say why each changed field of a model has its impact")
@click.argument("model")
@registry_option
@cluster_option
@allow_options
@format_option("text", "json")
@click.pass_obj
def command(
    environment: Environment,
    /,
    model: str,
    registry_root: Path,
    cluster_name: str | None,
    output: str,
    **allowed: bool,
) -> int:
    """Say why a plan does what it does to MODEL: every field that differs with both values, the rule of Ray behind its
    impact and where Ray says so, the code version before and after, and what the choice of the rollout was made from.

    Of a model without differences it says what a change of each of its settings would do. MODEL is a model id, or the
    name of its application; `gateway` is the gateway.
    """
    with open_session(environment, registry_root, cluster_name) as session:
        desired, live = session.target.desired, session.live()
        selection = select((model,), desired, live)
        names = sorted(selection.chosen) if selection else []
        if len(names) != 1:
            raise WrongUsage(f"`{model}` means {len(names)} models", "one at a time: " + ", ".join(names[:12]))
        live, plan = planned(session, PlanOptions(models=(), **allowed), environment)
    explanation = explain(names[0], plan, desired, live)
    console = environment.console
    if output == "json":
        console.out(json.dumps(explanation_json(explanation, plan), indent=2, ensure_ascii=False) + "\n")
    else:
        console.out(explanation_text(explanation, console.out_style))
    return 0

"""`reconcile schema`: the JSON Schemas, from the same definitions that the commands use."""

import json

import click

from reconciler.apply.schema import event_schema, outcome_schema
from reconciler.cli.environment import Environment
from reconciler.drift.schema import drift_schema
from reconciler.plan.explanation_schema import explanation_schema
from reconciler.plan.schema import plan_schema
from reconciler.registry.json_schema import cluster_schema, model_schema
from reconciler.status.schema import status_schema

SCHEMAS = {
    "model": model_schema,
    "cluster": cluster_schema,
    "plan": plan_schema,
    "explanation": explanation_schema,
    "drift": drift_schema,
    "status": status_schema,
    "outcome": outcome_schema,
    "event": event_schema,
}


@click.command(short_help="Print the JSON Schema of a file or of a report")
@click.argument("name", type=click.Choice(list(SCHEMAS)))
@click.pass_obj
def command(environment: Environment, name: str) -> int:
    """Print the JSON Schema of a model file, a cluster file, or of what programs read: a plan (`plan --format json`),
    an explanation (`plan explain --format json`), a drift report, a look at a cluster (`status --format json`), the
    outcomes of an apply (`apply --format json`), one line of its event stream (`apply --events`).
    """
    environment.console.out(json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n")
    return 0

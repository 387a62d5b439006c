"""`reconcile schema`: the JSON Schemas, from the same definitions that the commands use."""

import json

import click

from reconciler.cli.environment import Environment
from reconciler.drift.schema import drift_schema
from reconciler.plan.schema import plan_schema
from reconciler.registry.json_schema import cluster_schema, model_schema

SCHEMAS = {"model": model_schema, "cluster": cluster_schema, "plan": plan_schema, "drift": drift_schema}


@click.command(short_help="Print the JSON Schema of a file or of a report")
@click.argument("name", type=click.Choice(list(SCHEMAS)))
@click.pass_obj
def command(environment: Environment, name: str) -> int:
    """Print the JSON Schema of a model file, a cluster file, a plan (`plan --format json`) or a drift report."""
    environment.console.out(json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n")
    return 0

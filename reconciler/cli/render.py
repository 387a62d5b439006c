"""`reconcile render`: the Ray Serve applications that the registry calls for, as they would be sent."""

import json
from pathlib import Path

import click
import yaml

from reconciler.cli.choose_model import choose_application
from reconciler.cli.environment import Environment
from reconciler.cli.options import cluster_option, format_option, registry_option
from reconciler.cli.session import open_target


@click.command(short_help="Print the Ray Serve applications that the registry calls for")
@click.argument("model", required=False)
@registry_option
@cluster_option
@format_option("yaml", "json")
@click.pass_obj
def command(
    environment: Environment, model: str | None, registry_root: Path, cluster_name: str | None, output: str
) -> int:
    """Print the Ray Serve applications that the registry calls for; with MODEL only that one's.

    Asks nothing of the cluster. `serve deploy` takes the same form, but would delete what others have deployed.
    """
    desired = open_target(environment, registry_root, cluster_name).desired
    configs = {entry.name: dict(entry.application.config) for entry in desired.applications}
    if model is not None:
        name = choose_application(model, list(configs))
        configs = {name: configs[name]}
    document = {"applications": list(configs.values())}
    if output == "json":
        environment.console.out(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        environment.console.out(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))
    return 0

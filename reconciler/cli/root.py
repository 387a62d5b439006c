"""The command `reconcile`: its commands in a table, and what holds for all of them."""

import click

from reconciler import __version__
from reconciler.cli.lazy_group import Entry, LazyGroup

COMMANDS = {
    "validate": Entry("reconciler.cli.validate", "Check the registry and say what is wrong, line by line"),
    "explain": Entry("reconciler.cli.explain", "Say of every key of a model file what it means today"),
    "migrate": Entry("reconciler.cli.migrate", "Rewrite model files in older formats into the canonical form"),
    "import": Entry("reconciler.cli.import_", "Write model files for what is described or runs elsewhere"),
    "render": Entry("reconciler.cli.render", "Print the Ray Serve applications that the registry calls for"),
    "plan": Entry("reconciler.cli.plan", "Compare the registry with the cluster and say what would be done"),
    "show": Entry("reconciler.cli.show", "Show a saved plan file"),
    "apply": Entry("reconciler.cli.apply", "Bring the cluster to what the registry says"),
    "drift": Entry("reconciler.cli.drift", "Say what moved on the cluster though nobody merged anything"),
    "status": Entry("reconciler.cli.status", "Show the applications of the cluster, their replicas and the nodes"),
    "schema": Entry("reconciler.cli.schema", "Print the JSON Schema of a file or of a report"),
    "local": Entry("reconciler.cli.local", "Start and stop an embedded Ray cluster on this machine"),
}


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done or nothing to do; 1 failed; 2 changes or drift, with --detailed-exitcode; "
    "64 wrong usage; 130 interrupted.",
)
@click.version_option(__version__, prog_name="reconcile", message="%(prog)s %(version)s")
@click.option(
    "--debug",
    is_flag=True,
    help="Show where an unexpected error came from. May stand anywhere; RECONCILER_DEBUG=1 does the same.",
)
def root(debug: bool) -> None:
    """GitOps for LLMs on Ray Serve: a registry of model files, planned, applied and drift-checked."""

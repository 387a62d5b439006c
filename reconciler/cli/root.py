"""The command `reconcile`: its commands in a table, and what holds for all of them."""

import click

from reconciler import __version__
from reconciler.cli.lazy_group import Entry, LazyGroup

COMMANDS = {
    "init": Entry("reconciler.cli.init", "Write the files of a new registry repository"),
    "validate": Entry("reconciler.cli.validate", "Check the registry and say what is wrong, line by line"),
    "explain": Entry("reconciler.cli.explain", "Say of every key of a model file what it means today"),
    "migrate": Entry("reconciler.cli.migrate", "Rewrite model files in older formats into the canonical form"),
    "import": Entry("reconciler.cli.import_", "Write model files for what is described or runs elsewhere"),
    "render": Entry("reconciler.cli.render", "Print the document that apply would send"),
    "plan": Entry("reconciler.cli.plan", "Compare the registry with the cluster and say what would be done"),
    "apply": Entry("reconciler.cli.apply", "Bring the cluster to what the registry says"),
    "rollback": Entry("reconciler.cli.rollback", "Bring the cluster to what an earlier commit says"),
    "history": Entry("reconciler.cli.history", "Show what was applied, by whom, and what became of it"),
    "drift": Entry("reconciler.cli.drift", "Say what moved on the cluster though nobody merged anything"),
    "status": Entry("reconciler.cli.status", "Show what runs on the cluster, and what it has to do"),
    "query": Entry("reconciler.cli.query", "Ask a model one question, through the gateway"),
    "chat": Entry("reconciler.cli.chat", "Talk with a model, through the gateway"),
    "unlock": Entry("reconciler.cli.unlock", "Show who writes to the cluster now, and end that lease by force"),
    "repair": Entry("reconciler.cli.repair", "Bring Serve back when it cannot read what it stored"),
    "snapshot": Entry("reconciler.cli.snapshot", "Save what the cluster reports, for plans without it"),
    "ci": Entry("reconciler.cli.ci", "Say a plan or drift on GitHub or GitLab"),
    "key": Entry("reconciler.cli.key", "Make a key for the gateway, and the lines of the cluster file for it"),
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

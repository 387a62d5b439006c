"""`reconcile ci comment`: the plan on the pull request, in one comment that is edited in place."""

from datetime import UTC
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.forge_of import base_of, forge_of
from reconciler.cli.options import registry_option
from reconciler.cli.read_plan_file import read_plan_file
from reconciler.cli.touched_applications import touched_applications
from reconciler.forge.github import GitHub
from reconciler.forge.keep import keep_comments
from reconciler.views.plan_comment import Review, comment_mark, plan_comment
from reconciler.views.saved_plan import saved_plan


@click.command(short_help="Keep one comment with the plan on a pull request")
@click.argument("plan_file", type=click.Path(path_type=Path), metavar="PLANFILE")
@registry_option
@click.option(
    "--base",
    metavar="COMMIT",
    help="What the pull request is to be merged into; its own models stand open.  [default: the job's target branch]",
)
@click.option("--number", type=click.IntRange(min=1), help="The pull request.  [default: the job's]")
@click.option("--dry-run", is_flag=True, help="Print the comment; ask nothing of the forge.")
@click.pass_obj
def command(
    environment: Environment,
    plan_file: Path,
    registry_root: Path,
    base: str | None,
    number: int | None,
    dry_run: bool,
) -> int:
    """Keep one comment with the plan of PLANFILE on the pull request of this CI job.

    PLANFILE is what `reconcile plan --out` wrote; neither the cluster nor its token is needed here. The comment is
    found again and edited in place. Models that the pull request touches stand open, what a merge would change for
    other reasons is folded. GitHub wants GITHUB_TOKEN, GitLab GITLAB_TOKEN.
    """
    saved = read_plan_file(plan_file)
    plan = saved_plan(saved.document)
    base = base or base_of(environment.variables)
    touched = None if base is None else touched_applications(registry_root, base, plan)
    review = Review(touched, until=f"{saved.expires.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    console = environment.console
    if dry_run:
        console.out("\n\n".join(plan_comment(plan, review, GitHub.limit)) + "\n")
        return 0
    forge = forge_of(environment.variables, number, needs_number=True)
    for kept in keep_comments(forge, comment_mark(plan.cluster), plan_comment(plan, review, forge.limit)):
        console.note(f"comment {kept.deed}" + (f": {kept.url}" if kept.url else ""))
    return 0

"""`reconcile init`: the files of a new registry repository. What is there already is left as it is."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import WrongUsage
from reconciler.cli.installed_from import Source, installed_from
from reconciler.views.starter_files import (
    FILL_IN,
    UNKNOWN_COMMIT,
    UNKNOWN_DASHBOARD,
    UNKNOWN_GATEWAY,
    UNKNOWN_SOURCE,
    Starter,
    starter_files,
)

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/\[\]-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_BRANCH = re.compile(r"[A-Za-z0-9._/-]+")
_TYPE = re.compile(r"[A-Za-z0-9_-]+")


def _checked(pattern: re.Pattern[str], form: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback that refuses what does not match: it all ends up in YAML, unquoted."""

    def check(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
        if value is not None and not pattern.fullmatch(value):
            raise click.BadParameter(f"{value!r} is not {form}", ctx, parameter)
        return value

    return check


_name = _checked(_NAME, "small letters, digits and `-`")
_address = _checked(_ADDRESS, "an address such as https://ray.example.com:8265")


@click.command(short_help="Write the files of a new registry repository")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="[DIR]", default=Path())
@click.option("--local", is_flag=True, help="For the embedded cluster of `reconcile local up`, with a tiny model.")
@click.option("--cluster", callback=_name, metavar="NAME", help="Its name here.  [default: production, or local]")
@click.option(
    "--dashboard", callback=_address, metavar="URL", help="Where Ray's dashboard answers.  [default: to fill in]"
)
@click.option(
    "--gateway", callback=_address, metavar="URL", help="Where clients reach Ray Serve.  [default: to fill in]"
)
@click.option(
    "--owner", callback=_name, metavar="NAME", help="Marks what is ours on the cluster.  [default: DIR's name]"
)
@click.option(
    "--accelerator",
    callback=_checked(_TYPE, "a type of accelerator"),
    metavar="TYPE",
    default="L4",
    show_default=True,
    help="Type of the cluster's GPUs, as Ray calls it; the first model needs 24 GB.",
)
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab", "none"]),
    help="Which CI runs plans and applies.  [default: github; none with --local]",
)
@click.option(
    "--branch",
    callback=_checked(_BRANCH, "the name of a branch"),
    default="main",
    show_default=True,
    metavar="NAME",
    help="Where merges go to.",
)
@click.option(
    "--source",
    callback=_address,
    metavar="URL",
    help="Git repository that CI installs reconciler from.  [default: where this one came from]",
)
@click.option(
    "--commit",
    callback=_checked(_COMMIT, "the 40 digits of a commit"),
    metavar="SHA",
    help="Commit of it that CI installs.  [default: the one this is]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.pass_obj
def command(
    environment: Environment,
    folder: Path,
    local: bool,
    cluster: str | None,
    dashboard: str | None,
    gateway: str | None,
    owner: str | None,
    accelerator: str,
    ci: str | None,
    branch: str,
    source: str | None,
    commit: str | None,
    dry_run: bool,
) -> int:
    """Write the files of a new registry repository into DIR, by default the current folder.

    A cluster file, a first model, CI, hooks for pre-commit, schemas for editors, a README. No file is ever
    overwritten, and a registry that has models or clusters already gets no others. Nothing is committed or sent.
    """
    if local and (dashboard or gateway):
        raise WrongUsage("`--local` is a cluster on this machine: it needs neither `--dashboard` nor `--gateway`")
    ci = ci or ("none" if local else "github")
    _check_place(folder, ci)
    known = (installed_from() if source is None and commit is None else None) or Source(
        source or UNKNOWN_SOURCE, commit or UNKNOWN_COMMIT
    )
    starter = Starter(
        cluster=cluster or ("local" if local else "production"),
        owner=owner or _owner(folder),
        local=local,
        ci=ci,
        branch=branch,
        accelerator=accelerator,
        dashboard=dashboard or UNKNOWN_DASHBOARD,
        gateway=gateway or UNKNOWN_GATEWAY,
        source=known.address,
        commit=known.commit,
    )
    written: dict[str, str] = {}
    kept: list[str] = []
    console = environment.console
    for path, text in {**starter_files(starter), **_schemas()}.items():
        reason = _reason_to_keep(folder, path)
        if reason is None and not dry_run:
            reason = _write(folder / path, text)
        if reason is None:
            written[path] = text
            console.out(f"{'would write' if dry_run else 'wrote'} {path}\n")
        else:
            kept.append(path)
            console.out(f"left out {path}: {reason}\n")
    console.out("\n" + _next(folder, starter, written, kept))
    return 0


def _check_place(folder: Path, ci: str) -> None:
    """CI reads its file at the top of a repository and nowhere else."""
    place = folder.resolve()
    if ci == "none" or (place / ".git").exists():
        return
    top = next((parent for parent in place.parents if (parent / ".git").exists()), None)
    if top is not None:
        raise WrongUsage(
            f"`{folder}` lies within the git repository `{top}`, and CI reads its files at the top only",
            "name the top, or write no file for CI with `--ci none`",
        )


def _owner(folder: Path) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:63].strip("-")
    return slug or "models"


def _schemas() -> Mapping[str, str]:
    from reconciler.registry.json_schema import cluster_schema, model_schema

    return {
        f"schemas/{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in (("model", model_schema()), ("cluster", cluster_schema()))
    }


def _reason_to_keep(folder: Path, path: str) -> str | None:
    """Why a file is not written; None when it is."""
    place = folder / path
    if place.exists() or place.is_symlink():
        return "it is there already"
    if path.startswith("registry/"):
        there = sorted(one.name for one in place.parent.glob("*.y*ml"))
        if there:
            return f"`{there[0]}` is there already"
    return None


def _write(place: Path, text: str) -> str | None:
    """Write a file that is not there. Why it was not written: somebody else was quicker."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with place.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        return "it is there already"
    return None


def _next(folder: Path, starter: Starter, written: Mapping[str, str], kept: Sequence[str]) -> str:
    """What there is to do now, in order."""
    marked = [path for path, text in written.items() if FILL_IN in text]
    steps = [f"fill in what is marked {FILL_IN} in {', '.join(marked)}"] if marked else []
    if ".gitignore" in kept and ".reconciler/" not in _lines(folder / ".gitignore"):
        steps.append("add the line `.reconciler/` to .gitignore")
    if folder.resolve() != Path.cwd():
        steps.append(f"go there: cd {folder}")
    steps.append("check it: reconcile validate --strict")
    if not any((parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents)):
        steps.append(f"make it a git repository: git init -b {starter.branch}")
    steps.append("commit: git add . && git commit -m 'Begin the registry'")
    if starter.local:
        steps.append("start the local cluster: reconcile local up")
    else:
        steps.append("give your shell the token of Ray's dashboard, in the variable RAY_TOKEN")
    steps.append("see what would happen, and do it: reconcile plan; reconcile apply")
    if starter.ci == "github":
        steps.append(
            "on GitHub: add the secret RAY_TOKEN, protect the branch, and make an environment `production` whose "
            "reviewers approve applies"
        )
    elif starter.ci == "gitlab":
        steps.append(
            "on GitLab: add the masked variables RAY_TOKEN and GITLAB_TOKEN, protect the branch, and make a pipeline "
            "schedule for drift"
        )
    return "Next:\n" + "".join(f"  {number}. {step}\n" for number, step in enumerate(steps, 1))


def _lines(file: Path) -> Sequence[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return []

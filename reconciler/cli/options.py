"""The options that several commands share, each defined once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

LOCAL_DIRECTORY_VARIABLE = "RECONCILER_LOCAL_DIR"
DEFAULT_LOCAL_DIRECTORY = Path(".reconciler/local")

CACHE_DIRECTORY_VARIABLE = "RECONCILER_CACHE_DIR"
DEFAULT_CACHE_DIRECTORY = Path(".reconciler/cache")


def registry_option(command: Command) -> Command:
    """`--registry DIR`."""
    return click.option(
        "--registry",
        "registry_root",
        type=click.Path(path_type=Path),
        default=Path("registry"),
        show_default=True,
        help="Folder with the model files and clusters/.",
    )(command)


def cluster_option(command: Command) -> Command:
    """`--cluster NAME`."""
    return click.option(
        "--cluster", "cluster_name", metavar="NAME", help="Cluster of registry/clusters/; else the default one."
    )(command)


def models_option(deed: str) -> Callable[[Command], Command]:
    """`--model MODEL`, as `models`; `deed` is what is done to these models alone."""
    return click.option(
        "--model",
        "models",
        metavar="MODEL",
        multiple=True,
        help=f"{deed} only this model, by its id or its application's name; may be repeated, and hold `*`, `?` and "
        "`[...]`: `--model 'Qwen/*'`.",
    )


def events_option(command: Command) -> Command:
    """`--events FILE`."""
    return click.option(
        "--events",
        type=click.Path(path_type=Path, allow_dash=True),
        metavar="FILE",
        help="Add what happens to FILE, one JSON object a line (`reconcile schema event`); `-` is stdout.",
    )(command)


def format_option(*formats: str) -> Callable[[Command], Command]:
    """`--format`, the first one being the default."""
    return click.option(
        "--format", "output", type=click.Choice(formats), default=formats[0], show_default=True, help="How to say it."
    )


def detailed_exitcode_option(what: str) -> Callable[[Command], Command]:
    """`--detailed-exitcode`."""
    return click.option("--detailed-exitcode", is_flag=True, help=f"Exit with 2 when there {what}.")


def local_directory_option(command: Command) -> Command:
    """`--directory DIR` of the `local` commands; the others read only the variable."""
    return click.option(
        "--directory",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help=f"State folder; else {LOCAL_DIRECTORY_VARIABLE}, else {DEFAULT_LOCAL_DIRECTORY}.",
    )(command)


def allow_options(command: Command) -> Command:
    """The flags that release guards, as `allow_delete`, `allow_downtime`, `allow_mass_change`, `allow_protected`."""
    for name, text in (
        ("protected", "Change models that are marked with `protect`, even if it deletes or restarts them."),
        ("downtime", "Replace replicas even where a model is without service meanwhile."),
        ("mass-change", "Restart as many models as the registry says, however many they are."),
        ("delete", "Delete the models that the registry no longer has, however many they are."),
    ):
        command = click.option(f"--allow-{name}", is_flag=True, help=text)(command)
    return command

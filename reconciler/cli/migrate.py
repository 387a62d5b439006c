"""`reconcile migrate`: model files in older formats, rewritten into the canonical form."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, Failure
from reconciler.cli.options import registry_option
from reconciler.cli.source_lines import source_lines
from reconciler.diagnostics import Diagnostic
from reconciler.registry.folder import list_folder
from reconciler.registry.migration.migrate import ChangedMeaning, Migrated, migrate
from reconciler.registry.source_text import MAX_BYTES
from reconciler.views.diagnostics_text import diagnostics_text
from reconciler.views.printable import plural, printable


@click.command(short_help="Rewrite model files in older formats into the canonical form")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@registry_option
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 and name the files that would change.")
@click.pass_obj
def command(environment: Environment, files: tuple[Path, ...], registry_root: Path, check: bool) -> int:
    """Rewrite model files in older formats into the canonical form: FILES, or every model file of the registry.

    Comments, order and quoting stay wherever a key survives, and the application that a file stands for stays the
    same. A canonical file is left alone, and so is one with an error, which is shown.
    """
    console = environment.console
    migrated = [_migrate(file) for file in files or _model_files(registry_root)]
    changed = [each for each in migrated if each.text is not None]
    for each in changed:
        if not check:
            _write(Path(each.file), each.text or "")
        console.out(f"{'would rewrite' if check else 'rewrote'} {_described(each)}\n")
    refused = [diagnostic for each in migrated for diagnostic in each.diagnostics]
    if refused:
        console.out(diagnostics_text(refused, source_lines(refused), console.out_style))
    broken = sum(bool(each.diagnostics) for each in migrated)
    console.out(_summary(len(changed), broken, len(migrated), check) + "\n")
    return FAILED if refused or (check and changed) else 0


def _migrate(file: Path) -> Migrated:
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    try:
        return migrate(str(file), content)
    except ChangedMeaning as error:
        hint = "nothing was written; this is a bug in reconcile"
        raise Failure(f"`{file}` cannot be rewritten: {error}", hint) from error


def _model_files(root: Path) -> Sequence[Path]:
    listing = list_folder(root, root)
    if isinstance(listing, Diagnostic):
        raise Failure(f"`{listing.position.file}`: {listing.message}", listing.hint)
    return [Path(file.path) for file in listing.files]


def _write(file: Path, text: str) -> None:
    """Replace the file in one step, so that it is never half written. A link stays one."""
    target = file.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(text.encode())
        beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _described(migrated: Migrated) -> str:
    left_out = f", {plural(migrated.dropped, 'obsolete key')} left out" if migrated.dropped else ""
    return f"{printable(migrated.file)} (from {migrated.dialect}{left_out})"


def _summary(changed: int, broken: int, total: int, check: bool) -> str:
    parts = [f"{changed} {'to rewrite' if check else 'rewritten'}"] if changed else []
    parts += [f"{plural(broken, 'file')} with errors"] if broken else []
    parts += [f"{total - changed - broken} canonical already"] if total - changed - broken else []
    return ", ".join(parts) or "No files"

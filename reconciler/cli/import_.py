"""`reconcile import`: model files for what is described or runs elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.environment import Environment
from reconciler.cli.failure import FAILED, WrongUsage
from reconciler.cli.import_live import read_cluster
from reconciler.cli.options import cluster_option
from reconciler.cli.source_lines import source_lines
from reconciler.diagnostics import Diagnostic, has_errors, sorted_diagnostics
from reconciler.registry.imports.git_history import git_history
from reconciler.registry.imports.imported import Imported
from reconciler.registry.imports.live import LiveImport
from reconciler.registry.imports.placement import Place, Placed, place_files
from reconciler.registry.imports.referenced_files import referenced_files
from reconciler.registry.imports.source import Source
from reconciler.registry.imports.sources import import_sources
from reconciler.registry.loader import load
from reconciler.registry.source_text import MAX_BYTES
from reconciler.views.diagnostics_text import diagnostics_text, summary_line
from reconciler.views.import_text import import_text

LIVE = "live"
"""The source that is no file: the cluster."""


@click.command(name="import", short_help="Write model files for what is described or runs elsewhere")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--into",
    "registry_root",
    type=click.Path(path_type=Path),
    default=Path("registry"),
    show_default=True,
    help="The registry that gets the files.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; show the files.")
@cluster_option
@click.pass_obj
def command(
    environment: Environment, sources: tuple[str, ...], registry_root: Path, dry_run: bool, cluster_name: str | None
) -> int:
    """Write model files for what is described or runs elsewhere.

    SOURCE is a config of Ray Serve or an Anyscale service, a KubeRay manifest, OneBlock documents, a script that calls
    byzerllm, or a model file in any format; give files that refer to each other together. `live` is the cluster: the
    models that run there and have no file yet. No file is ever overwritten.
    """
    if LIVE in sources and len(sources) > 1:
        raise WrongUsage("`live` is a source by itself", "import the files in another run")
    if cluster_name is not None and LIVE not in sources:
        raise WrongUsage("`--cluster` goes with `live`", "`reconcile import live --cluster NAME`")
    if LIVE in sources:
        found = read_cluster(environment, registry_root, cluster_name)
    else:
        read = [_read(Path(source)) for source in sources]
        found = LiveImport(import_sources(read, referenced_files, git_history), ())
    placed, problems = place_files(
        found.imported,
        lambda name: str(registry_root / name),
        _content,
        _registered(registry_root),
    )
    if not dry_run:
        _write(placed)
    return _say(environment, found, placed, sorted_diagnostics((*found.imported.diagnostics, *problems)), dry_run)


def _say(
    environment: Environment,
    found: LiveImport,
    placed: Sequence[Placed],
    diagnostics: tuple[Diagnostic, ...],
    dry_run: bool,
) -> int:
    console = environment.console
    if diagnostics:
        text = diagnostics_text(diagnostics, source_lines(diagnostics), console.note_style)
        console.note(text + "\n" + summary_line(diagnostics, None, None))
    imported: Imported = found.imported
    console.out(import_text(placed, imported.fates, found.untouched, dry_run=dry_run, style=console.out_style))
    return FAILED if has_errors(diagnostics) or not (placed or found.untouched) else 0


def _read(path: Path) -> Source:
    if path.is_dir():
        raise WrongUsage(f"`{path}` is a folder", "name the files in it")
    with path.open("rb") as stream:
        return Source(str(path), stream.read(MAX_BYTES + 1))


def _content(path: str) -> bytes | None:
    """What a path holds; also a link that leads nowhere is something that must not be written over."""
    file = Path(path)
    if not file.exists() and not file.is_symlink():
        return None
    return file.read_bytes() if file.is_file() else b""


def _registered(root: Path) -> dict[str, str]:
    """The files of the models that the registry has, by model id; none where it cannot be read."""
    registry = load(root).registry if root.is_dir() else None
    return {entry.model_id: entry.file for entry in registry.models} if registry else {}


def _write(placed: Sequence[Placed]) -> None:
    for each in placed:
        if each.place is Place.NEW:
            path = Path(each.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Fails where somebody else has just written it.
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(each.file.text)

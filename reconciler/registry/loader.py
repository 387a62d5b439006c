"""A registry folder as a `Registry`, or everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Position, Severity, has_errors, sorted_diagnostics
from reconciler.registry.checks import run_checks
from reconciler.registry.cluster import Cluster
from reconciler.registry.document import parse
from reconciler.registry.folder import CLUSTERS_FOLDER, SourceFile, list_folder, read
from reconciler.registry.registry import ClusterEntry, KeyPath, ModelEntry, Registry
from reconciler.registry.spec import ModelSpec
from reconciler.registry.validation import Form, validate


@dataclass(frozen=True, slots=True)
class Loaded:
    """A registry, or None where any diagnostic is an error, and the diagnostics, sorted."""

    registry: Registry | None
    diagnostics: tuple[Diagnostic, ...]


def load(root: Path) -> Loaded:
    """Read and check the model files in `root` and the cluster files in `root/clusters`. Raises nothing: whatever is
    wrong with a file, or with the folder, is a diagnostic.
    """
    listing = list_folder(root, root)
    if isinstance(listing, Diagnostic):
        return Loaded(None, (listing,))
    diagnostics = list(listing.diagnostics)
    if not listing.files and not listing.diagnostics:
        message, hint = "the registry has no model files", "write `<organisation>--<model>.yaml` in it"
        diagnostics.append(Diagnostic(listing.position, "empty-registry", message, hint, Severity.WARNING))
    models = [
        ModelEntry(file.shown, spec, positions)
        for file in listing.files
        for spec, positions in _read(ModelSpec, file, diagnostics)
    ]
    clusters, complete = _clusters(root, diagnostics)
    models.sort(key=lambda entry: (entry.spec.model_id, entry.file))
    registry = Registry(tuple(models), clusters)
    diagnostics.extend(run_checks(registry, clusters_complete=complete))
    return Loaded(None if has_errors(diagnostics) else registry, sorted_diagnostics(diagnostics))


def _clusters(root: Path, diagnostics: list[Diagnostic]) -> tuple[tuple[ClusterEntry, ...], bool]:
    """The clusters, sorted by name, and whether no cluster file was refused."""
    folder = root / CLUSTERS_FOLDER
    if not folder.is_dir():
        return (), True
    listing = list_folder(root, folder)
    if isinstance(listing, Diagnostic):
        diagnostics.append(listing)
        return (), False
    diagnostics.extend(listing.diagnostics)
    before = len(diagnostics)
    entries = tuple(
        ClusterEntry(file.stem, file.shown, cluster, positions)
        for file in listing.files
        for cluster, positions in _read(Cluster, file, diagnostics)
    )
    return entries, not listing.diagnostics and len(diagnostics) == before


def _read(
    form: type[Form], file: SourceFile, diagnostics: list[Diagnostic]
) -> list[tuple[Form, Mapping[KeyPath, Position]]]:
    """The file's value and positions, or nothing where it is refused; its problems go to `diagnostics`."""
    content = read(file)
    if isinstance(content, Diagnostic):
        diagnostics.append(content)
        return []
    document, problems = parse(file.shown, content)
    diagnostics.extend(problems)
    if document is None:
        return []
    value, problems = validate(form, document)
    diagnostics.extend(problems)
    return [] if value is None else [(value, document.positions)]

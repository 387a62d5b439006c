"""A registry folder from its files to everything that is wrong with it, whoever looks into the files."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reconciler.diagnostics import Diagnostic, Severity, sorted_diagnostics
from reconciler.registry.checks.registry_checks import check_registry
from reconciler.registry.folder import CLUSTERS_FOLDER, POLICIES_FOLDER, SourceFile, list_folder, read
from reconciler.registry.outline import RegistryOutline
from reconciler.registry.report import Outline, Reader, Report
from reconciler.registry.waivers import Waived, waive


@dataclass(frozen=True, slots=True)
class Examined:
    """The outlines of the files that are right by themselves, and all problems in the order of the views."""

    outline: RegistryOutline
    diagnostics: tuple[Diagnostic, ...]
    waived: tuple[Waived, ...] = ()
    files: tuple[str, ...] = ()
    """The files that were looked into, as people see them."""


def examine(root: Path, reader: Reader, today: date) -> Examined:
    """Have `reader` look into the model files in `root`, the cluster files in `root/clusters` and the policies in
    `root/policies`, and check the files against each other. Raises nothing: whatever is wrong with a file, or with the
    folder, is a diagnostic. `today` is for waivers that expire.
    """
    # Nothing here is a circle, and the collector would walk all files again and again: two fifths of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _examine(root, reader, today)
    finally:
        if collecting:
            gc.enable()


def _examine(root: Path, reader: Reader, today: date) -> Examined:
    listing = list_folder(root, root)
    if isinstance(listing, Diagnostic):
        return Examined(RegistryOutline((), ()), (listing,))
    diagnostics = list(listing.diagnostics)
    if not listing.files and not listing.diagnostics:
        message, hint = "the registry has no model files", "write `<organisation>--<model>.yaml` in it"
        diagnostics.append(Diagnostic(listing.position, "empty-registry", message, hint, Severity.WARNING))
    policies = _policy_sources(root, diagnostics)
    diagnostics.extend(reader.policies(policies))
    models = _outlines(listing.files, reader.model, diagnostics)
    models.sort(key=lambda model: (model.model_id.value, model.file))
    models_complete = not listing.diagnostics and len(models) == len(listing.files)
    files, listed = _folder_files(root, CLUSTERS_FOLDER, diagnostics)
    clusters = _outlines(files, reader.cluster, diagnostics)
    outline = RegistryOutline(tuple(models), tuple(clusters))
    clusters_complete = listed and len(clusters) == len(files)
    across = check_registry(outline, models_complete=models_complete, clusters_complete=clusters_complete)
    diagnostics.extend(across)
    waivers = [waiver for model in models for waiver in model.waivers]
    problems, waived = waive(sorted_diagnostics(diagnostics), waivers, today)
    read_files = (*listing.files, *files, *(file for file, _ in policies))
    return Examined(outline, sorted_diagnostics(problems), tuple(waived), tuple([file.shown for file in read_files]))


def _folder_files(
    root: Path, name: str, diagnostics: list[Diagnostic], endings: tuple[str, ...] = (".yaml",)
) -> tuple[Sequence[SourceFile], bool]:
    """The files of a folder in the registry, and whether they are all there are."""
    folder = root / name
    if not folder.is_dir():
        return (), True
    listing = list_folder(root, folder, endings)
    if isinstance(listing, Diagnostic):
        diagnostics.append(listing)
        return (), False
    diagnostics.extend(listing.diagnostics)
    return listing.files, not listing.diagnostics


def _policy_sources(root: Path, diagnostics: list[Diagnostic]) -> list[tuple[SourceFile, bytes]]:
    sources = []
    for file in _folder_files(root, POLICIES_FOLDER, diagnostics, (".yaml", ".json"))[0]:
        content = read(file)
        if isinstance(content, Diagnostic):
            diagnostics.append(content)
        else:
            sources.append((file, content))
    return sources


def _outlines(
    files: Sequence[SourceFile],
    look: Callable[[SourceFile, bytes], Report[Outline]],
    diagnostics: list[Diagnostic],
) -> list[Outline]:
    """The outlines of the files that are right; the problems of all go to `diagnostics`."""
    outlines = []
    for file in files:
        content = read(file)
        if isinstance(content, Diagnostic):
            diagnostics.append(content)
            continue
        report = look(file, content)
        diagnostics.extend(report.diagnostics)
        if report.outline is not None:
            outlines.append(report.outline)
    return outlines

"""What is wrong with a registry, without its values: as much as `load` finds, and far less work the second time."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.cached_reader import CachedReader
from reconciler.registry.examine import examine
from reconciler.registry.result_cache import ResultCache, cache_file
from reconciler.registry.waivers import Waived


@dataclass(frozen=True, slots=True)
class Survey:
    """All diagnostics, sorted, those that are waived, and what was counted; no counts where anything is an error."""

    diagnostics: tuple[Diagnostic, ...]
    waived: tuple[Waived, ...]
    files: tuple[str, ...]
    """The files that were looked into, as people see them."""
    models: int | None
    clusters: int | None


def survey(root: Path, cache_directory: Path | None, today: date | None = None) -> Survey:
    """Find what is wrong with the registry in `root`. Results are kept in `cache_directory`, or nowhere
    where it is None.
    """
    cache = ResultCache(None if cache_directory is None else cache_file(cache_directory, root))
    examined = examine(root, CachedReader(cache, keep=False), today or date.today())
    cache.save()
    refused = has_errors(examined.diagnostics)
    outline = examined.outline
    models, clusters = (None, None) if refused else (len(outline.models), len(outline.clusters))
    return Survey(examined.diagnostics, examined.waived, examined.files, models, clusters)

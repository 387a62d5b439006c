"""A registry folder as a `Registry`, or everything that is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.cached_reader import CachedReader
from reconciler.registry.examine import examine
from reconciler.registry.registry import Registry
from reconciler.registry.report import Reader
from reconciler.registry.result_cache import ResultCache, cache_file
from reconciler.registry.waivers import Waived


@dataclass(frozen=True, slots=True)
class Loaded:
    """A registry, or None where any diagnostic is an error, and the diagnostics, sorted."""

    registry: Registry | None
    diagnostics: tuple[Diagnostic, ...]
    waived: tuple[Waived, ...] = ()
    """Problems that model files waive with a reason."""


def load(
    root: Path,
    today: date | None = None,
    seen_by: Callable[[Reader], Reader] = lambda reader: reader,
    *,
    cache_directory: Path | None = None,
) -> Loaded:
    """Read and check the model files in `root` and the cluster files in `root/clusters`. Raises nothing: whatever is
    wrong with a file, or with the folder, is a diagnostic. `today`, the day by which waivers expire, is that of the
    machine unless given. `seen_by` may put another reader before the one that reads. With a `cache_directory` what an
    earlier run found in the same files is not looked for again.
    """
    cache = ResultCache(None if cache_directory is None else cache_file(cache_directory, root))
    reader = CachedReader(cache)
    examined = examine(root, seen_by(reader), today or date.today())
    cache.save()
    if has_errors(examined.diagnostics):
        return Loaded(None, examined.diagnostics, examined.waived)
    models = sorted(reader.models, key=lambda entry: (entry.model_id, entry.file))
    return Loaded(Registry(tuple(models), tuple(reader.clusters)), examined.diagnostics, examined.waived)

"""A registry folder as a `Registry`, or everything that is wrong with it."""

from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.examine import examine
from reconciler.registry.full_reader import FullReader
from reconciler.registry.registry import Registry


@dataclass(frozen=True, slots=True)
class Loaded:
    """A registry, or None where any diagnostic is an error, and the diagnostics, sorted."""

    registry: Registry | None
    diagnostics: tuple[Diagnostic, ...]


def load(root: Path) -> Loaded:
    """Read and check the model files in `root` and the cluster files in `root/clusters`. Raises nothing: whatever is
    wrong with a file, or with the folder, is a diagnostic.
    """
    reader = FullReader()
    examined = examine(root, reader)
    if has_errors(examined.diagnostics):
        return Loaded(None, examined.diagnostics)
    models = sorted(reader.models, key=lambda entry: (entry.spec.model_id, entry.file))
    return Loaded(Registry(tuple(models), tuple(reader.clusters)), examined.diagnostics)

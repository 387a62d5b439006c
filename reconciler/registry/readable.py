"""What can be read of a registry whatever is wrong with the rest of it.

For commands that need to know which cluster is meant and where it is, and must not fail because a model file of today
is broken: that may be why they are called.
"""

from datetime import date
from pathlib import Path

from reconciler.diagnostics import Diagnostic
from reconciler.registry.examine import examine
from reconciler.registry.folder import CLUSTERS_FOLDER, list_folder, read
from reconciler.registry.full_reader import FullReader
from reconciler.registry.registry import Registry


def readable_clusters(root: Path) -> Registry:
    """The clusters whose own file can be read, and no models: what it takes to choose one."""
    reader = FullReader()
    listing = list_folder(root, root / CLUSTERS_FOLDER)
    for file in () if isinstance(listing, Diagnostic) else listing.files:
        content = read(file)
        if not isinstance(content, Diagnostic):
            reader.cluster(file, content)
    return Registry((), tuple(sorted(reader.clusters, key=lambda entry: entry.name)))


def readable(root: Path) -> Registry:
    """The models and clusters whose own file can be read. Ids need not be unique, and checks may have failed."""
    reader = FullReader()
    examine(root, reader, date.today())
    models = sorted(reader.models, key=lambda entry: (entry.spec.model_id, entry.file))
    return Registry(tuple(models), tuple(sorted(reader.clusters, key=lambda entry: entry.name)))

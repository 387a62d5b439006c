"""Names of files: a model is found by its name, and a cluster is named by its file."""

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.model_id import is_model_id
from reconciler.registry.outline import RegistryOutline
from reconciler.registry.quoted import quoted

if TYPE_CHECKING:
    from reconciler.registry.registry import ModelEntry

_CLUSTER_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def file_name_convention(entry: "ModelEntry") -> Iterable[Diagnostic]:
    """`<organisation>--<model>-<parameters>.yaml` after the model id, with `-<extra>` behind it if need be."""
    if not is_model_id(entry.spec.model_id):
        return
    stem = PurePath(entry.file).name.removesuffix(".yaml")
    wanted = entry.spec.model_id.replace("/", "--")
    if stem != wanted and not stem.startswith(f"{wanted}-"):
        message = f"the file of {quoted(entry.spec.model_id)} has another model's name"
        hint = f"name it `{wanted}.yaml`, or `{wanted}-<extra>.yaml`"
        yield Diagnostic(entry.position(), rule_name(file_name_convention), message, hint)


def cluster_name(registry: RegistryOutline) -> Iterable[Diagnostic]:
    """A cluster's name is lower-case letters, digits and `-`, so that it can be given on a command line."""
    for cluster in registry.clusters:
        if not _CLUSTER_NAME.fullmatch(cluster.name):
            message = f"{quoted(cluster.name)} is no name for a cluster"
            hint = "name the file with lower-case letters, digits and `-`, such as `eu-prod.yaml`"
            yield Diagnostic(cluster.position(), rule_name(cluster_name), message, hint)

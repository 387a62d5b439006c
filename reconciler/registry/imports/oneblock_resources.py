"""The OneBlock documents of some files, each with what it is and how others name it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.diagnostics import Position
from reconciler.registry.document import Document
from reconciler.registry.imports.documents import SourceDocument
from reconciler.registry.key_path import KeyPath

TEMPLATE = "ModelTemplate"
VERSION = "ModelTemplateVersion"
SERVICE = "MLService"

GROUP = "ml.oneblock.ai/"
"""Begins the `apiVersion` of every OneBlock document: `v1` is what was built, `v1alpha1` what was proposed first."""

_DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Resource:
    """One document: its kind, namespace and name, and where it stands."""

    kind: str
    namespace: str
    name: str
    document: Document
    source: SourceDocument

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name, by which others refer to it."""
        return self.namespace, self.name

    @property
    def position(self) -> Position:
        """Where the document begins."""
        return self.document.positions[()]

    def get(self, *path: str) -> Any:
        """The value at a path, or None."""
        value: Any = self.document.value
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def place(self, *path: str) -> Position:
        """Where a path was written, or its nearest written parent."""
        found: KeyPath = path
        while found not in self.document.positions:
            found = found[:-1]
        return self.document.positions[found]

    def refers(self, reference: Any, namespace: Any = None) -> tuple[str, str]:
        """What a reference in this document names: `namespace/name`, or a name in `namespace` or in its own one."""
        text = str(reference)
        if namespace is None and "/" in text:
            before, _, name = text.partition("/")
            return before, name
        return str(namespace or self.namespace), text


def is_oneblock(document: Document) -> bool:
    """Whether a document is one of OneBlock's."""
    return str(document.value.get("apiVersion", "")).startswith(GROUP)


def resource(source: SourceDocument) -> Resource | None:
    """The resource in a document of OneBlock's; None for another or one without a name."""
    document = source.document
    if document is None or not is_oneblock(document):
        return None
    metadata = document.value.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        return None
    namespace = metadata.get("namespace")
    kind = str(document.value.get("kind", ""))
    return Resource(kind, namespace if isinstance(namespace, str) else _DEFAULT_NAMESPACE, name, document, source)

"""Whether the versions of model templates stayed what they were, and which number each of them has.

A version is never edited: a changed one is a new version. OneBlock did not enforce it, but generated the model's file
only once, so that what ran was the first content. Numbers count distinct contents of a template from the first commit
on; none is given twice, even when a version is removed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.imports.documents import parse_documents
from reconciler.registry.imports.git_history import History
from reconciler.registry.imports.oneblock_resources import VERSION, Resource, resource
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted


@dataclass(slots=True)
class VersionHistory:
    """The first content of each version, and the contents of each template in the order in which they appeared."""

    first: dict[tuple[str, str], tuple[str, Resource]] = field(default_factory=dict)
    contents: dict[tuple[str, str], list[Any]] = field(default_factory=dict)

    def add(self, version: Resource, commit: str) -> None:
        """Note one version as it was in a commit."""
        self.first.setdefault(version.key, (commit, version))
        known = self.contents.setdefault(_template(version), [])
        if _content(version) not in known:
            known.append(_content(version))

    def number(self, version: Resource) -> int:
        """The number of a version among those of its template, from 1."""
        return self.contents[_template(version)].index(_content(version)) + 1

    def change(self, version: Resource) -> Diagnostic | None:
        """The error that a version was edited after it was committed."""
        commit, before = self.first[version.key]
        if not commit or _content(before) == _content(version):
            return None
        path = _difference(before.document.value["spec"], version.document.value["spec"], ("spec",))
        message = f"the version {quoted(version.name)} is not what it was in commit {commit[:12]}"
        hint = "a version is never edited: take the earlier content back, and give the changed one a new name"
        return Diagnostic(_place(version, path), "edited-version", message, hint)


def version_history(resources: Sequence[Resource], history: History) -> VersionHistory:
    """What git says about the files that the resources stand in, and then the resources themselves."""
    found = VersionHistory()
    for file in dict.fromkeys(each.document.file for each in resources):
        for earlier in history(file):
            for version in _versions(resource(document) for document in parse_documents(file, earlier.content)):
                found.add(version, earlier.commit)
    for version in _versions(resources):
        found.add(version, "")
    return found


def _versions(resources: Iterable[Resource | None]) -> Iterator[Resource]:
    for each in resources:
        if each is not None and each.kind == VERSION and isinstance(each.get("spec"), Mapping):
            yield each


def _template(version: Resource) -> tuple[str, str]:
    name = version.get("spec", "templateName")
    return version.refers(name) if name else version.key


def _content(version: Resource) -> dict[str, Any]:
    """What a version says about the model; its description is for people."""
    return {key: value for key, value in version.get("spec").items() if key != "description"}


def _difference(before: Any, after: Any, path: KeyPath) -> KeyPath:
    """The way to the first key that is not what it was."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in after:
            if key == "description" and path == ("spec",):
                continue
            if key not in before or before[key] != after[key]:
                return _difference(before.get(key), after[key], (*path, key))
    return path


def _place(version: Resource, path: KeyPath) -> Position:
    return version.place(*(str(step) for step in path))

"""The registry as a commit holds it, read from git's objects: nothing is checked out, no work tree is touched.

What the loader would read is written to a private temporary folder, read and checked there, and shown under the names
that git has for it: `1a2b3c4d5e6f:registry/acme--chat.yaml`.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reconciler.diagnostics import Diagnostic
from reconciler.registry.folder import CLUSTERS_FOLDER, POLICIES_FOLDER, SourceFile
from reconciler.registry.loader import Loaded, load
from reconciler.registry.outline import ClusterOutline, ModelOutline
from reconciler.registry.report import Reader, Report
from reconciler.registry.repository import GitTrouble, RegistryRepository
from reconciler.registry.revision import Revision
from reconciler.registry.source_text import MAX_BYTES

if TYPE_CHECKING:
    from git import Commit, Tree
    from git.objects.base import IndexObject

_READ = (".yaml", ".yml", ".json")
_LINK = 0o120000
_LINKS = 8
"""Links that lead to links are followed so far."""


@dataclass(frozen=True, slots=True)
class PastRegistry:
    """What a commit's registry comes to under today's rules."""

    revision: Revision
    loaded: Loaded
    texts: Mapping[str, str]
    """The texts of the files that a diagnostic points to, under the names that it has for them."""


def load_past(repository: RegistryRepository, commit: "Commit") -> PastRegistry:
    """Read and check the registry of that commit, waivers as of its day. Raises `GitTrouble` when it has none."""
    tree = _registry_tree(repository, commit)
    top = f"{commit.hexsha[:12]}:{repository.folder}/"
    day = datetime.fromtimestamp(commit.committed_date, UTC).date()
    with TemporaryDirectory(prefix="reconcile-") as temporary:
        folder = Path(temporary) / "registry"
        _write(tree, folder)
        names = _Names(str(folder), top)
        loaded = load(folder, day, lambda reader: _Renaming(reader, names))
        diagnostics = tuple(names.of_diagnostic(each) for each in loaded.diagnostics)
        texts = {
            each.position.file: path.read_text(encoding="utf-8", errors="replace")
            for each in diagnostics
            if (path := folder / each.position.file.removeprefix(top)).is_file()
        }
    return PastRegistry(Revision(commit.hexsha, tree.hexsha, False), replace(loaded, diagnostics=diagnostics), texts)


def _registry_tree(repository: RegistryRepository, commit: "Commit") -> "Tree":
    import git

    try:
        found = commit.tree if repository.folder == "." else commit.tree.join(repository.folder)
    except KeyError:
        found = None
    except (ValueError, git.ODBError) as error:
        raise GitTrouble(f"git cannot read commit {commit.hexsha[:12]} here", repository.how_to_fetch) from error
    if not isinstance(found, git.Tree):
        raise GitTrouble(
            f"commit {commit.hexsha[:12]} has no folder `{repository.folder}`",
            "roll back to a later commit, or apply a work tree of it: `git worktree add`, then "
            "`reconcile apply --registry` with the name that it had",
        )
    return found


@dataclass(frozen=True, slots=True)
class _Names:
    """Leads from a path in the temporary folder to what people know the file as."""

    folder: str
    top: str

    def of(self, path: str) -> str:
        if path == self.folder:
            return self.top.removesuffix("/")
        return self.top + path.removeprefix(self.folder + "/") if path.startswith(self.folder + "/") else path

    def of_diagnostic(self, diagnostic: Diagnostic) -> Diagnostic:
        position = diagnostic.position
        return replace(diagnostic, position=replace(position, file=self.of(position.file)))


@dataclass(frozen=True, slots=True)
class _Renaming:
    """A reader that is told the names that git has for the files."""

    reader: Reader
    names: _Names

    def policies(self, sources: Sequence[tuple[SourceFile, bytes]]) -> tuple[Diagnostic, ...]:
        return self.reader.policies([(self._renamed(file), content) for file, content in sources])

    def model(self, file: SourceFile, content: bytes) -> Report[ModelOutline]:
        return self.reader.model(self._renamed(file), content)

    def cluster(self, file: SourceFile, content: bytes) -> Report[ClusterOutline]:
        return self.reader.cluster(self._renamed(file), content)

    def _renamed(self, file: SourceFile) -> SourceFile:
        return replace(file, shown=self.names.of(file.shown))


def _write(tree: "Tree", folder: Path) -> None:
    """What the loader looks at: the files of the registry folder and of its two folders, and whether others hold
    files that look like models."""
    folder.mkdir()
    for entry in _entries(tree):
        if entry.type == "tree":
            inside = folder / entry.name
            inside.mkdir()
            for below in _entries(entry):
                if below.type != "blob" or not below.name.lower().endswith(_READ):
                    continue
                if entry.name in (CLUSTERS_FOLDER, POLICIES_FOLDER):
                    _write_file(tree, below, f"{entry.name}/{below.name}", inside)
                else:
                    (inside / below.name).touch()
        elif entry.type == "blob" and entry.name.lower().endswith(_READ):
            _write_file(tree, entry, entry.name, folder)


def _entries(tree: "Tree") -> Iterator["IndexObject"]:
    """What stands in a folder; nothing with a name that leads elsewhere, which only a forged commit has."""
    return (entry for entry in tree if Path(entry.name).name == entry.name and entry.name != "..")


def _write_file(tree: "Tree", entry: "IndexObject", path: str, folder: Path) -> None:
    target = _followed(tree, entry, path)
    if target is None:
        # Where the link leads is not for us to read; the loader says what it thinks of it.
        (folder / entry.name).symlink_to("/dev/null/outside")
    else:
        (folder / entry.name).write_bytes(target.data_stream.read(MAX_BYTES + 1))


def _followed(tree: "Tree", entry: "IndexObject", path: str) -> "IndexObject | None":
    """The file at the end of a chain of links, or None when that leaves the registry or leads nowhere."""
    for _ in range(_LINKS):
        if entry.mode != _LINK:
            return entry if entry.type == "blob" else None
        target = entry.data_stream.read().decode("utf-8", "surrogateescape")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if path.startswith(("/", "../")) or path in (".", ".."):
            return None
        try:
            entry = tree.join(path)
        except KeyError:
            return None
    return None

"""A Hugging Face Hub on this machine: the part of its HTTP API that downloads repositories."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.support.web import Handler, serving

_API = re.compile(r"/api/models/(?P<name>[^/]+/[^/]+)(?:/(?P<what>revision|tree)/(?P<revision>[^/]+))?(?:/.*)?")
_FILE = re.compile(r"/(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<file>.+)")


@dataclass
class Hub:
    """Repositories by name: the folder of each commit, and which commit a branch or tag is."""

    address: str = ""
    commits: dict[str, dict[str, Path]] = field(default_factory=dict)
    branches: dict[str, dict[str, str]] = field(default_factory=dict)
    refusals: dict[str, tuple[int, Mapping[str, str]]] = field(default_factory=dict)
    """Status and headers for repositories that nobody may have."""
    asked: list[str] = field(default_factory=list)
    """`METHOD path` of every request."""

    def add(self, name: str, commit: str, folder: Path, *branches: str) -> None:
        """A commit of a repository, and what points to it."""
        self.commits.setdefault(name, {})[commit] = folder
        self.branches.setdefault(name, {}).update(dict.fromkeys(branches, commit))

    def find(self, name: str, revision: str) -> tuple[str, Path] | None:
        """The commit that a revision is, and its folder."""
        commit = self.branches.get(name, {}).get(revision, revision)
        folder = self.commits.get(name, {}).get(commit)
        return None if folder is None else (commit, folder)


@contextmanager
def hub() -> Iterator[Hub]:
    """An empty Hub."""
    found = Hub()

    class Answers(Handler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            found.asked.append(f"{self.command} {path}")
            match = _API.fullmatch(path) or _FILE.fullmatch(path)
            if match is None:
                self._send(404, b"{}", {}, body)
                return
            parts = match.groupdict()
            if parts["name"] in found.refusals:
                status, headers = found.refusals[parts["name"]]
                self._send(status, b'{"error": "refused"}', headers, body)
                return
            there = found.find(parts["name"], parts["revision"] or "main")
            if there is None:
                code = "RevisionNotFound" if parts["name"] in found.commits else "RepoNotFound"
                self._send(404, b'{"error": "not found"}', {"X-Error-Code": code}, body)
                return
            commit, folder = there
            if "file" in parts:
                self._file(folder / parts["file"], commit, body)
                return
            files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            names = [path.relative_to(folder).as_posix() for path in files]
            if parts["what"] == "tree":
                tree = [
                    {"type": "file", "path": name, "size": path.stat().st_size, "oid": _digest(path)}
                    for name, path in zip(names, files, strict=True)
                ]
                self._send(200, json.dumps(tree).encode(), {}, body)
                return
            described = {"id": parts["name"], "modelId": parts["name"], "sha": commit, "private": False, "tags": []}
            described["siblings"] = [{"rfilename": name} for name in names]
            self._send(200, json.dumps(described).encode(), {}, body)

        def _file(self, path: Path, commit: str, body: bool) -> None:
            if not path.is_file():
                self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, body)
                return
            headers = {"X-Repo-Commit": commit, "ETag": f'"{_digest(path)}"'}
            self._send(200, path.read_bytes(), headers, body, "application/octet-stream")

        def _send(
            self, status: int, content: bytes, headers: Mapping[str, str], body: bool, kind: str = "application/json"
        ) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

    with serving(Answers) as address:
        found.address = address
        yield found


def _digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()

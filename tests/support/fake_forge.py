"""GitHub's and GitLab's APIs over real HTTP, as far as comments and issues go, with their refusals.

What was written with another token than the one that asks cannot be changed, as there.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.web import Handler, serving

TOKEN = "forge-token-4711"
GITHUB_LIMIT = 65_536


@dataclass
class Item:
    """A comment or an issue."""

    number: int
    body: str
    author: str
    title: str = ""
    state: str = "open"
    pull: bool = False
    system: bool = False


@dataclass
class FakeForge:
    """What is there, and every request that came."""

    address: str = ""
    comments: list[Item] = field(default_factory=list)
    issues: list[Item] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    """Last words on issues."""
    log: list[tuple[str, str]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    """Statuses to answer with before anything is looked at."""
    next_number: int = 100
    is_job: bool = False
    """Whether the token is a CI job's, which is no person's."""

    def add(self, kind: list[Item], body: str, author: str = "somebody", **more: Any) -> Item:
        """Something that is there already."""
        self.next_number += 1
        kind.append(Item(self.next_number, body, author, **more))
        return kind[-1]


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@contextmanager
def fake_forge() -> Iterator[FakeForge]:
    """Serve both APIs on a free port: GitHub's at the top, GitLab's below `/api/v4`."""
    forge = FakeForge()

    class FakeApi(Handler):
        def _answer(self) -> None:
            url = urlsplit(self.path)
            body = json.loads(self.body() or b"null")
            forge.log.append((self.command, url.path))
            try:
                if forge.failures:
                    raise Refused(forge.failures.pop(0), "come back later")
                bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                if (bearer or self.headers.get("PRIVATE-TOKEN", "")) != TOKEN:
                    raise Refused(401, "Bad credentials")
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                answer = _handle(forge, self.command, url.path, query, body)
                status = {"POST": 201, "DELETE": 204}.get(self.command, 200)
            except Refused as error:
                status, answer = error.status, {"message": error.message}
            self.reply(status, b"" if status == 204 else json.dumps(answer).encode())

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    with serving(FakeApi) as address:
        forge.address = address
        yield forge


def _handle(forge: FakeForge, method: str, path: str, query: dict[str, str], body: Any) -> Any:
    gitlab = path.startswith("/api/v4")
    if path.endswith("/user"):
        if forge.is_job:
            raise Refused(403, "Resource not accessible by integration")
        return _author(TOKEN, forge)
    if gitlab:
        comments = r"/api/v4/projects/7/merge_requests/12/notes"
        issues = r"/api/v4/projects/7/issues"
        one_comment, issue_words = comments, "notes"
    else:
        comments = r"/repos/acme/models/issues/12/comments"
        issues = r"/repos/acme/models/issues"
        one_comment, issue_words = r"/repos/acme/models/issues/comments", "comments"
    if path in (comments, issues) and method == "GET":
        kind = forge.comments if path == comments else [item for item in forge.issues if item.state == "open"]
        page, size = int(query["page"]), int(query["per_page"])
        return [_row(item, gitlab, forge) for item in kind[(page - 1) * size : page * size]]
    if path in (comments, issues) and method == "POST":
        text = body.get("body") or body.get("description")
        if not gitlab and len(text) > GITHUB_LIMIT:
            raise Refused(422, "body is too long (maximum is 65536 characters)")
        kind = forge.comments if path == comments else forge.issues
        return _row(forge.add(kind, text, TOKEN, title=body.get("title", "")), gitlab, forge)
    if found := re.fullmatch(rf"{issues}/(\d+)/{issue_words}", path):
        forge.said.append((found[1], body["body"]))
        return {}
    if found := re.fullmatch(rf"(?:{one_comment}|{issues})/(\d+)", path):
        for kind in (forge.comments, forge.issues):
            for item in kind:
                if item.number == int(found[1]):
                    return _change(item, kind, method, body, gitlab, forge)
    raise Refused(404, "Not Found")


def _change(item: Item, kind: list[Item], method: str, body: Any, gitlab: bool, forge: FakeForge) -> Any:
    if item.author != TOKEN:
        raise Refused(403, "Resource not accessible by integration")
    if method == "DELETE":
        kind.remove(item)
        return None
    item.body = body.get("body") or body.get("description") or item.body
    item.title = body.get("title") or item.title
    if body.get("state") == "closed" or body.get("state_event") == "close":
        item.state = "closed"
    return _row(item, gitlab, forge)


def _author(name: str, forge: FakeForge) -> dict[str, Any]:
    ours = name == TOKEN
    kind = "Bot" if ours and forge.is_job else "User"
    return {"id": 1 if ours else 2, "login": "reconciler" if ours else name, "type": kind}


def _row(item: Item, gitlab: bool, forge: FakeForge) -> dict[str, Any]:
    if gitlab:
        return {
            "id": item.number,
            "iid": item.number,
            "body": item.body,
            "description": item.body,
            "system": item.system,
            "author": _author(item.author, forge),
            "web_url": f"https://gitlab.example/{item.number}",
        }
    row: dict[str, Any] = {"id": item.number, "number": item.number, "body": item.body}
    row["user"] = _author(item.author, forge)
    row["html_url"] = f"https://github.example/{item.number}"
    return {**row, "pull_request": {}} if item.pull else row

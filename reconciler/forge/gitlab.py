"""GitLab's REST API (version 4) for one project."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from reconciler.forge.protocols import Written
from reconciler.forge.requests import Requests

_LIMIT = 1_000_000
"""GitLab's longest note or description, in characters."""


class GitLab:
    """Notes of one merge request and the issues of its project (its number, or its path with `%2F`)."""

    limit = _LIMIT

    def __init__(self, requests: Requests, project: str, merge_request: int | None = None) -> None:
        self._requests = requests
        self._project = f"/projects/{project}"
        self._merge_request = f"{self._project}/merge_requests/{merge_request}"

    def comments(self) -> Iterator[Written]:
        """Our notes, the oldest first."""
        rows = self._requests.rows(f"{self._merge_request}/notes", {"sort": "asc", "order_by": "created_at"})
        return (_note(row) for row in rows if not row.get("system") and self._is_ours(row))

    def comment(self, body: str) -> Written:
        """A new note."""
        return _note(self._requests.send("POST", f"{self._merge_request}/notes", {"body": body}))

    def edit(self, number: int, body: str) -> Written:
        """Another text for a note of ours."""
        return _note(self._requests.send("PUT", f"{self._merge_request}/notes/{number}", {"body": body}))

    def remove(self, number: int) -> None:
        """Delete a note of ours."""
        self._requests.send("DELETE", f"{self._merge_request}/notes/{number}")

    def open_issues(self) -> Iterator[Written]:
        """Our open issues."""
        rows = self._requests.rows(f"{self._project}/issues", {"state": "opened"})
        return (_issue(row) for row in rows if self._is_ours(row))

    def open_issue(self, title: str, body: str) -> Written:
        """A new issue."""
        return _issue(self._requests.send("POST", f"{self._project}/issues", {"title": title, "description": body}))

    def update_issue(self, number: int, title: str, body: str) -> Written:
        """Another title and text for an issue of ours."""
        path = f"{self._project}/issues/{number}"
        return _issue(self._requests.send("PUT", path, {"title": title, "description": body}))

    def close_issue(self, number: int, last_word: str) -> None:
        """Comment and close."""
        path = f"{self._project}/issues/{number}"
        self._requests.send("PUT", path, {"state_event": "close"})
        self._requests.send("POST", f"{path}/notes", {"body": last_word})

    def _is_ours(self, row: Mapping[str, Any]) -> bool:
        return bool((row.get("author") or {}).get("id") == self._account)

    @cached_property
    def _account(self) -> int | None:
        account = self._requests.who()
        return None if account is None else int(account["id"])


def _note(row: Mapping[str, Any]) -> Written:
    return Written(int(row["id"]), str(row.get("body") or ""), "")


def _issue(row: Mapping[str, Any]) -> Written:
    return Written(int(row["iid"]), str(row.get("description") or ""), str(row.get("web_url") or ""))

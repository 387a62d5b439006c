"""GitHub's REST API (version 2022-11-28) for one repository."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from reconciler.forge.protocols import Written
from reconciler.forge.requests import Requests

_LIMIT = 65_536
"""GitHub refuses a longer text of a comment or an issue."""


class GitHub:
    """Comments of one pull request and the issues of its repository (`owner/name`)."""

    limit = _LIMIT

    def __init__(self, requests: Requests, repository: str, pull: int | None = None) -> None:
        self._requests = requests
        self._repository = f"/repos/{repository}"
        self._pull = pull

    def comments(self) -> Iterator[Written]:
        """Our comments on the pull request, the oldest first."""
        rows = self._requests.rows(f"{self._repository}/issues/{self._pull}/comments", {})
        return (_written(row) for row in rows if self._is_ours(row))

    def comment(self, body: str) -> Written:
        """A new comment."""
        return _written(self._requests.send("POST", f"{self._repository}/issues/{self._pull}/comments", {"body": body}))

    def edit(self, number: int, body: str) -> Written:
        """Another text for a comment of ours."""
        return _written(self._requests.send("PATCH", f"{self._repository}/issues/comments/{number}", {"body": body}))

    def remove(self, number: int) -> None:
        """Delete a comment of ours."""
        self._requests.send("DELETE", f"{self._repository}/issues/comments/{number}")

    def open_issues(self) -> Iterator[Written]:
        """Our open issues; GitHub lists pull requests among them, which are left out."""
        rows = self._requests.rows(f"{self._repository}/issues", {"state": "open"})
        return (_written(row, "number") for row in rows if "pull_request" not in row and self._is_ours(row))

    def open_issue(self, title: str, body: str) -> Written:
        """A new issue."""
        return _written(
            self._requests.send("POST", f"{self._repository}/issues", {"title": title, "body": body}), "number"
        )

    def update_issue(self, number: int, title: str, body: str) -> Written:
        """Another title and text for an issue of ours."""
        path = f"{self._repository}/issues/{number}"
        return _written(self._requests.send("PATCH", path, {"title": title, "body": body}), "number")

    def close_issue(self, number: int, last_word: str) -> None:
        """Comment and close."""
        path = f"{self._repository}/issues/{number}"
        self._requests.send("PATCH", path, {"state": "closed"})
        self._requests.send("POST", f"{path}/comments", {"body": last_word})

    def _is_ours(self, row: Mapping[str, Any]) -> bool:
        author = row.get("user") or {}
        if self._account is None:
            return bool(author.get("type") == "Bot")
        return bool(author.get("login") == self._account.get("login"))

    @cached_property
    def _account(self) -> Mapping[str, Any] | None:
        """The token of a job is no person's. Its comments are a bot's, which no person can write."""
        return self._requests.who()


def _written(row: Mapping[str, Any], key: str = "id") -> Written:
    return Written(int(row[key]), str(row.get("body") or ""), str(row.get("html_url") or ""))

"""What a forge can do for us, the same for GitHub and GitLab."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class ForgeError(Exception):
    """The forge did not do what it was asked for. `message` says what, `hint` what would mend it; neither ever holds a
    token."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotOurs(ForgeError):
    """Somebody else wrote it, so it cannot be changed by us."""


@dataclass(frozen=True, slots=True)
class Written:
    """A comment or an issue: what it is called by, what it says, and where people read it."""

    number: int
    body: str
    url: str


class Discussion(Protocol):
    """The comments of one pull request."""

    limit: int
    """Bytes of UTF-8 that one comment may have; what a forge counts in characters is never more."""

    def comments(self) -> Iterator[Written]:
        """Those that we wrote, by their author, the oldest first. Raises `ForgeError`."""
        ...

    def comment(self, body: str) -> Written:
        """Write a new one. Raises `ForgeError`."""
        ...

    def edit(self, number: int, body: str) -> Written:
        """Replace the text of one. Raises `NotOurs` and `ForgeError`."""
        ...

    def remove(self, number: int) -> None:
        """Take one away. Raises `NotOurs` and `ForgeError`."""
        ...


class Tracker(Protocol):
    """The open issues of one repository."""

    limit: int
    """Bytes of UTF-8 that one issue may have."""

    def open_issues(self) -> Iterator[Written]:
        """Those that we opened. Raises `ForgeError`."""
        ...

    def open_issue(self, title: str, body: str) -> Written:
        """Open a new one. Raises `ForgeError`."""
        ...

    def update_issue(self, number: int, title: str, body: str) -> Written:
        """Replace title and text. Raises `NotOurs` and `ForgeError`."""
        ...

    def close_issue(self, number: int, last_word: str) -> None:
        """Say a last word and close it. Raises `NotOurs` and `ForgeError`."""
        ...

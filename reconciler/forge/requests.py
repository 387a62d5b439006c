"""Requests to a forge's API: one client, every failure a `ForgeError` in words."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from time import sleep
from typing import Any

from reconciler.forge.protocols import ForgeError, NotOurs
from reconciler.serve.errors import ServeError
from reconciler.serve.http_client import Answer, HttpClient, NoAnswer
from reconciler.state.json_value import JsonValue

_WAITS_S = (1.0, 4.0, 15.0)
"""Between the attempts while the forge is busy or wants us to slow down."""
_BUSY = frozenset({429, 502, 503, 504})
_TIMEOUT_S = 30.0
_PAGE = 100
"""Rows of a page, the most that both give."""


class Requests:
    """One forge's API at `address`, spoken to with these headers, the credentials among them.

    Raises `ForgeError` when the address is none.
    """

    def __init__(self, address: str, headers: Mapping[str, str], pause: Callable[[float], None] = sleep) -> None:
        try:
            self._client = HttpClient(address, headers=headers, timeout_s=_TIMEOUT_S)
        except ServeError as error:
            raise ForgeError(error.message, error.hint) from None
        self._pause = pause

    def rows(self, path: str, params: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """A list, page by page: GitHub and GitLab number them alike."""
        for number in count(1):
            page = {**params, "per_page": str(_PAGE), "page": str(number)}
            answer = self._checked("GET", path, self._send("GET", path, params=page))
            if not isinstance(answer, list) or not all(isinstance(row, dict) for row in answer):
                raise ForgeError(f"{self._client.address}{path} did not answer with a list", "is it the API's address?")
            yield from answer
            if len(answer) < _PAGE:
                return

    def who(self) -> Mapping[str, Any] | None:
        """The account that the credentials belong to; None for those that are no person's, such as a CI job's."""
        answer = self._send("GET", "/user")
        return self._checked("GET", "/user", answer) if answer.status_code not in (403, 404) else None

    def send(self, method: str, path: str, body: JsonValue = None) -> Mapping[str, Any]:
        """A write; what the forge answers. Raises `NotOurs` where the forge forbids it."""
        answer = self._checked(method, path, self._send(method, path, body=body))
        return answer if isinstance(answer, dict) else {}

    def _send(self, method: str, path: str, params: Mapping[str, str] | None = None, body: JsonValue = None) -> Answer:
        for wait_s in (*_WAITS_S, None):
            try:
                answer = self._client.request(method, path, params=params, json=body)
            except NoAnswer as error:
                # Whether a comment that got no answer was written is not known, so it is not written again.
                if wait_s is None or (method == "POST" and not error.never_connected):
                    raise ForgeError(f"cannot reach {self._client.address} ({error.reason})") from None
            else:
                if answer.status_code not in _BUSY or wait_s is None:
                    return answer
            self._pause(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _checked(self, method: str, path: str, answer: Answer) -> JsonValue:
        status = answer.status_code
        if status < 300:
            try:
                return answer.json() if answer.content else None
            except ValueError:
                raise ForgeError(f"{self._client.address}{path} did not answer with JSON") from None
        said = _said(answer)
        if status in (403, 404) and method in ("PATCH", "PUT", "DELETE"):
            raise NotOurs(f"{self._client.address} does not let us change {path} ({status}): {said}")
        hints = {
            401: "the token is not valid any more, or not for this forge",
            403: "the token may not do this: on GitHub the job needs `permissions: pull-requests: write` (and "
            "`issues: write` for issues), and a pull request from a fork gets a token that may only read",
            404: "is the repository right, and may the token see it?",
        }
        raise ForgeError(f"{self._client.address}{path} answered {status}: {said}", hints.get(status))


def _said(answer: Answer) -> str:
    """The forge's own words, on one line and short."""
    try:
        document = answer.json()
    except ValueError:
        return "no explanation"
    message = document.get("message") or document.get("error") if isinstance(document, dict) else None
    return " ".join(str(message or "no explanation").split())[:300]

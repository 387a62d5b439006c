"""A proxy between a client and a dashboard, real or in memory, that spoils chosen requests and remembers all of them.

It passes everything on as it is, token included, and keeps neither headers nor bodies apart from the last list of
applications, which it may give once more (`Fault.STALE`).
"""

import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from tests.support.fake_dashboard import APPLICATIONS
from tests.support.faults import Fault
from tests.support.web import Handler, serving

_PATIENCE_S = 60.0
"""The longest that an answer is withheld. Clients give up earlier."""
_FORWARDED = ("Authorization", "User-Agent", "Accept", "Content-Type")
REDACTED = "<redacted>"


@dataclass(frozen=True)
class Request:
    """One request: its number counted from 1, method and path without the query."""

    number: int
    method: str
    path: str

    @property
    def is_list(self) -> bool:
        """Whether it asks for the applications."""
        return self.method == "GET" and self.path == APPLICATIONS

    @property
    def is_put(self) -> bool:
        """Whether it sends a whole Serve document."""
        return self.method == "PUT" and self.path == APPLICATIONS


@dataclass(frozen=True)
class Rule:
    """A fault for the requests that `matches` picks: the `nth` of them (from 1) and those after it, `times` in all."""

    fault: Fault
    matches: Callable[[Request], bool]
    nth: int = 1
    times: int = 1


@dataclass
class FaultProxy:
    """What the proxy was told to do, and what came through it."""

    rules: list[Rule] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    before: Callable[[Request], None] | None = None
    """Called before a request is passed on, for instance to kill its sender."""
    after: Callable[[Request], None] | None = None
    """Called after the dashboard answered and before the answer is passed on."""
    answered_puts: int = 0
    """Whole documents that the dashboard has answered, whatever became of the answer."""
    address: str = ""
    slow_s: float = 0.2
    _counts: dict[int, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _last_list: "Answer | None" = None

    def calm(self) -> None:
        """Pass everything on from now on, and count anew."""
        with self._lock:
            self.rules, self.seen, self._counts = [], [], {}
            self.before = self.after = None
            self.answered_puts = 0

    @property
    def puts(self) -> int:
        """How many whole documents were sent."""
        return sum(request.is_put for request in self.seen)

    def note(self, method: str, path: str) -> tuple[Request, Fault | None]:
        """Count a request in; what is to happen to it."""
        with self._lock:
            request = Request(len(self.seen) + 1, method, path)
            self.seen.append(request)
            chosen = None
            for index, rule in enumerate(self.rules):
                if rule.matches(request):
                    self._counts[index] = self._counts.get(index, 0) + 1
                    if rule.nth <= self._counts[index] < rule.nth + rule.times:
                        chosen = chosen or rule.fault
            return request, chosen

    def stale(self, answer: "Answer") -> "Answer":
        """The list of applications before this one, which is remembered."""
        with self._lock:
            before, self._last_list = self._last_list, answer
            return before or answer

    @property
    def last_list(self) -> "Answer | None":
        """The list of applications that was passed on last."""
        return self._last_list


@dataclass(frozen=True)
class Answer:
    """What the dashboard said."""

    status: int
    kind: str
    body: bytes


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """A proxy in front of the dashboard at that address; it listens at `address`."""
    proxy = FaultProxy()
    target = urlsplit(upstream)

    class Proxied(Handler):
        def setup(self) -> None:
            super().setup()
            self.upstream = HTTPConnection(target.hostname or "", target.port, timeout=130)

        def finish(self) -> None:
            self.upstream.close()
            super().finish()

        def do_GET(self) -> None:
            body = self.body()
            request, fault = proxy.note(self.command, urlsplit(self.path).path)
            if proxy.before:
                proxy.before(request)
            answer = self._pass_on(body) if fault is None or fault.arrives else None
            if answer and request.is_put:
                proxy.answered_puts += 1
            if proxy.after and answer:
                proxy.after(request)
            if answer and request.is_list and fault is None:
                proxy.stale(answer)
            self._answer(fault, answer, body)

        do_PUT = do_POST = do_DELETE = do_GET

        def _pass_on(self, body: bytes) -> Answer:
            headers = {name: self.headers[name] for name in _FORWARDED if self.headers[name]}
            for attempt in range(2):
                try:
                    self.upstream.request(self.command, self.path, body or None, headers)
                    response = self.upstream.getresponse()
                    return Answer(response.status, response.getheader("Content-Type") or "", response.read())
                except (HTTPException, ConnectionError) as error:
                    # The dashboard closes connections that were idle for long; nothing was asked on this one yet.
                    self.upstream.close()
                    if attempt or self.command != "GET":
                        return Answer(502, "text/plain", type(error).__name__.encode())
            raise AssertionError("the second attempt returns")

        def _answer(self, fault: Fault | None, answer: Answer | None, sent: bytes) -> None:
            match fault:
                case Fault.TIMEOUT | Fault.TIMEOUT_AFTER:
                    self._wait_for_the_client_to_go()
                case Fault.RESET | Fault.RESET_AFTER:
                    self._reset()
                case Fault.BUSY | Fault.BUSY_AFTER:
                    self.reply(503, b"the proxy has no upstream", "text/plain")
                case Fault.BROKEN_AFTER:
                    self.reply(500, b"Internal Server Error", "text/plain")
                case Fault.REFUSED_AFTER:
                    self.reply(400, b"1 validation error for ServeDeploySchema", "text/plain")
                case Fault.UNAUTHORIZED:
                    self.reply(401, b"Unauthorized", "text/plain")
                case Fault.EMPTY | Fault.EMPTY_AFTER:
                    self.reply(200, b"", "text/plain")
                case _:
                    self._spoil(fault, answer)

        def _spoil(self, fault: Fault | None, answer: Answer | None) -> None:
            if fault is Fault.STALE:
                answer = proxy.last_list or self._pass_on(b"")
            assert answer is not None
            match fault:
                case Fault.SLOW:
                    time.sleep(proxy.slow_s)
                case Fault.TRUNCATED:
                    self._cut(answer)
                    return
                case Fault.GARBLED:
                    answer = Answer(answer.status, answer.kind, answer.body[: len(answer.body) // 2])
                case Fault.EMPTIED:
                    answer = _edited(answer, lambda details: {**details, "applications": {}})
                case Fault.REDACTED:
                    answer = _edited(answer, _redacted)
            self.reply(answer.status, answer.body, answer.kind)

        def _cut(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(max(len(answer.body), 2)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            self.close_connection = True

        def _wait_for_the_client_to_go(self) -> None:
            select.select([self.connection], [], [], _PATIENCE_S)
            self.close_connection = True

    with serving(Proxied) as address:
        proxy.address = address
        yield proxy


def _edited(answer: Answer, edit: Callable[[dict[str, Any]], Any]) -> Answer:
    return Answer(answer.status, answer.kind, json.dumps(edit(json.loads(answer.body))).encode())


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: dict.fromkeys(item, REDACTED) if key == "env_vars" and isinstance(item, dict) else _redacted(item)
            for key, item in value.items()
        }
    return [_redacted(item) for item in value] if isinstance(value, list) else value

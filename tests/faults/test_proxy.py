"""The fault proxy does what its faults say, seen from a client that knows nothing of the product."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.fake_dashboard import APPLICATIONS, dashboard
from tests.support.fake_serve import FakeServe
from tests.support.fault_proxy import FaultProxy, Request, Rule, fault_proxy
from tests.support.faults import LIST_FAULTS, WRITE_FAULTS, Fault
from tests.support.rig import NEIGHBOUR

BODY = b'{"applications": []}'


@contextmanager
def proxied() -> Iterator[tuple[FakeServe, FaultProxy]]:
    """A cluster with one application behind a proxy."""
    serve = FakeServe()
    serve.intrude({"applications": [NEIGHBOUR]})
    serve.settle()
    with dashboard(serve) as address, fault_proxy(address) as proxy:
        yield serve, proxy


def ask(proxy: FaultProxy, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes] | type[Exception]:
    """Status and body, or the kind of error."""
    url = urlsplit(proxy.address)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=1.0)
    try:
        connection.request(method, APPLICATIONS, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, IncompleteRead) as error:
        return type(error)
    finally:
        connection.close()


STATUS: dict[Fault, Any] = {
    Fault.TIMEOUT: TimeoutError,
    Fault.TIMEOUT_AFTER: TimeoutError,
    Fault.RESET: ConnectionResetError,
    Fault.RESET_AFTER: ConnectionResetError,
    Fault.TRUNCATED: IncompleteRead,
    Fault.BUSY: 503,
    Fault.BUSY_AFTER: 503,
    Fault.BROKEN_AFTER: 500,
    Fault.REFUSED_AFTER: 400,
    Fault.UNAUTHORIZED: 401,
}
"""How a fault shows; the others answer 200."""


@pytest.mark.parametrize("fault", LIST_FAULTS, ids=lambda fault: fault.name)
def test_a_spoiled_read(fault: Fault) -> None:
    with proxied() as (serve, proxy):
        right = ask(proxy)
        assert isinstance(right, tuple) and right[0] == 200 and b"as-the-sea" in right[1]
        reads = serve.reads
        proxy.rules = [Rule(fault, lambda request: request.is_list)]
        got = ask(proxy)
        assert (serve.reads > reads) == fault.arrives
        assert (got[0] if isinstance(got, tuple) else got) == STATUS.get(fault, 200)
        if fault in (Fault.SLOW, Fault.STALE):
            assert got == right
        elif isinstance(got, tuple):
            assert b"as-the-sea" not in got[1] or fault is Fault.GARBLED
            assert got != right
        assert ask(proxy) == right


@pytest.mark.parametrize("fault", WRITE_FAULTS, ids=lambda fault: fault.name)
def test_a_spoiled_write(fault: Fault) -> None:
    with proxied() as (serve, proxy):
        proxy.rules = [Rule(fault, lambda request: request.is_put, nth=2)]
        assert ask(proxy, "PUT", BODY) == (200, b"")
        got = ask(proxy, "PUT", BODY)
        assert (got[0] if isinstance(got, tuple) else got) == STATUS.get(fault, 200)
        assert len(serve.puts) == 1 + fault.arrives
        assert ask(proxy, "PUT", BODY) == (200, b"")


def test_a_stale_answer_is_the_one_before() -> None:
    with proxied() as (serve, proxy):
        before = ask(proxy)
        serve.intrude({"applications": []})
        proxy.rules = [Rule(Fault.STALE, lambda request: request.is_list)]
        assert ask(proxy) == before
        assert ask(proxy) != before


def test_everything_is_counted_and_can_be_watched() -> None:
    with proxied() as (_, proxy):
        watched: list[tuple[str, Request]] = []
        proxy.before = lambda request: watched.append(("before", request))
        proxy.after = lambda request: watched.append(("after", request))
        ask(proxy)
        ask(proxy, "PUT", BODY)
        assert [(request.number, request.method) for request in proxy.seen] == [(1, "GET"), (2, "PUT")]
        assert [when for when, _ in watched] == ["before", "after"] * 2
        assert proxy.puts == 1


def test_a_dashboard_that_is_not_there_is_a_bad_gateway() -> None:
    with fault_proxy("http://127.0.0.1:9") as proxy:
        assert ask(proxy) == (502, b"ConnectionRefusedError")

"""Connections to one web server, kept open between requests and shared by threads.

By the standard library: each of the HTTP libraries takes longer to import than a plan of a thousand models to compute.
"""

import http.client
import select
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from threading import Lock
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.serve.answers import Answer, NoAnswer
from reconciler.serve.errors import ServeError
from reconciler.serve.open_answer import OpenAnswer

CONNECT_TIMEOUT_S = 5.0

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names of this machine."""


class Connections:
    """Sends requests to the server of a URL, through the proxy that the environment names for it."""

    def __init__(self, url: SplitResult, trusted: ssl.SSLContext | None) -> None:
        self._url = url
        self._trusted = trusted
        self._proxy = _proxy(url)
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = Lock()

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> Answer:
        """One request for `target`, a path with its query. Raises `NoAnswer`; nothing is sent twice."""
        connection, response = self._asked(method, target, headers, body, timeout_s)
        try:
            answer = Answer(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoAnswer(error) from error
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return answer

    def open(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> OpenAnswer:
        """The same for an answer that is read as it comes. Its connection is used for nothing else, so that whoever
        closes it ends the request as well. Raises `NoAnswer`."""
        connection, response = self._asked(method, target, headers, body, timeout_s)
        return OpenAnswer(response.status, response, connection.close)

    def _asked(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """A connection on which the request was sent, and the beginning of the answer."""
        connection = self._alive() or self._connected(timeout_s)
        try:
            assert connection.sock is not None
            connection.sock.settimeout(timeout_s)
            connection.request(method, self._target(target), body, self._headers(headers))
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoAnswer(error) from error
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _alive(self) -> http.client.HTTPConnection | None:
        """An open connection that the server has not closed meanwhile."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.sock is not None and not _has_news(connection.sock):
                return connection
            connection.close()

    def _connected(self, timeout_s: float) -> http.client.HTTPConnection:
        near = self._proxy or self._url
        timeout_s = min(CONNECT_TIMEOUT_S, timeout_s)
        connection: http.client.HTTPConnection
        if self._url.scheme == "https":
            port = near.port or (80 if self._proxy else 443)
            connection = http.client.HTTPSConnection(
                near.hostname or "", port, timeout=timeout_s, context=self._trusted
            )
            if self._proxy is not None:
                through = _authorization("Proxy-Authorization", self._proxy)
                connection.set_tunnel(self._url.hostname or "", self._url.port or 443, dict(through))
        else:
            connection = http.client.HTTPConnection(near.hostname or "", near.port or 80, timeout=timeout_s)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NoAnswer(error, never_connected=True) from error
        return connection

    def _target(self, target: str) -> str:
        """What the request line names: a proxy of plain HTTP has to be told the server."""
        if self._proxy is None or self._url.scheme == "https":
            return target
        return f"http://{self._url.netloc.rpartition('@')[2]}{target}"

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        if self._proxy is None or self._url.scheme == "https":
            return dict(headers)
        return {**headers, **_authorization("Proxy-Authorization", self._proxy)}


def authorization(url: SplitResult) -> Mapping[str, str]:
    """The header that carries the credentials in a URL; none where it has none."""
    return _authorization("Authorization", url)


def _authorization(header: str, url: SplitResult) -> Mapping[str, str]:
    if url.username is None:
        return {}
    credentials = f"{unquote(url.username)}:{unquote(url.password or '')}"
    return {header: f"Basic {b64encode(credentials.encode()).decode()}"}


def _has_news(sock: socket.socket) -> bool:
    """Whether something arrived on a connection on which nothing is awaited: its end."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _proxy(url: SplitResult) -> SplitResult | None:
    """The proxy that the environment names for the server, which is for what is far away."""
    if url.hostname in LOOPBACK:
        return None
    # Not at the top: most servers are on this machine, and the module is a large one.
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    found = proxies.get(url.scheme) or proxies.get("all")
    if not found or proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    proxy = urlsplit(found if "://" in found else f"http://{found}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise ServeError(
            f"the proxy that the environment names is none of plain HTTP (`{proxy.scheme}://`)",
            "set `HTTPS_PROXY` or `HTTP_PROXY` to an `http://` proxy, or the host in `NO_PROXY`",
        )
    return proxy

"""HTTP to one server: a request has an `Answer`, whatever its status, or raises `NoAnswer`.

Nothing is sent twice here and no redirect is followed.
"""

import json
import ssl
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import SplitResult, urlencode, urlsplit

from reconciler import __version__
from reconciler.serve.answers import Answer, NoAnswer
from reconciler.serve.connections import Connections, authorization
from reconciler.serve.errors import ServeError
from reconciler.serve.open_answer import OpenAnswer
from reconciler.state.json_value import JsonValue

__all__ = ["USER_AGENT", "Answer", "HttpClient", "NoAnswer", "Sender"]

USER_AGENT = f"reconciler/{__version__}"
"""Never like a browser's: the dashboard shows those redacted environment values."""


class Sender(Protocol):
    """What carries requests: `connections.Connections`."""

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> Answer:
        """Send one request. Raises `NoAnswer`."""
        ...

    def open(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> OpenAnswer:
        """Send one request whose answer is read as it comes. Raises `NoAnswer`."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class HttpClient:
    """One server, such as `https://ray.example.com:8265/prefix`. Safe to use from several threads.

    Credentials in the address are sent (as basic authentication) but are not in `address`. `ca_file` is a PEM file of
    authorities to trust instead of the system's. `timeout_s` is the longest silence of the server that is waited out.
    Raises `ServeError` when the address or the file is none.
    """

    def __init__(
        self,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        timeout_s: float,
        sender: Sender | None = None,
    ) -> None:
        url = _url(address)
        self._path = url.path.rstrip("/")
        self.address = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{self._path}"
        self._headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **(headers or {}), **authorization(url)}
        self._timeout_s = timeout_s
        self._sender = sender or Connections(url, _trusted(ca_file) if url.scheme == "https" else None)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: JsonValue = None,
        content: bytes | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send one request, with a body of JSON or of bytes. Raises `NoAnswer`."""
        headers, body = self._headers, content
        if json is not None:
            headers, body = {**headers, "Content-Type": "application/json"}, _json_bytes(json)
        target = self._path + path + (f"?{urlencode(params)}" if params else "")
        return self._sender.send(method, target, headers, body, self._timeout_s if timeout_s is None else timeout_s)

    def open(self, method: str, path: str, *, json: JsonValue = None) -> OpenAnswer:
        """Send one request, with a body of JSON, and read the answer as it comes. Raises `NoAnswer`."""
        headers, body = self._headers, None
        if json is not None:
            headers, body = {**headers, "Content-Type": "application/json"}, _json_bytes(json)
        return self._sender.open(method, self._path + path, headers, body, self._timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()


def _url(address: str) -> SplitResult:
    try:
        url = urlsplit(address)
        is_address = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ServeError(f"`{address}` is no address of a web server", "write it as `http://host:8265`")
    return url


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = (error.strerror or str(error)).lower()
        raise ServeError(
            f"cannot read the certificates in `{ca_file}` ({reason})", "`dashboard.ca_file` names a PEM file"
        ) from None


def _json_bytes(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

"""HTTP to one Ray dashboard: time-outs, bounded retries on reads, and every failure turned into a `ServeError`."""

import ssl
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from reconciler import __version__
from reconciler.serve.errors import BadAnswer, ServeError, Unauthorized, Unreachable
from reconciler.state.json_value import JsonValue

USER_AGENT = f"reconciler/{__version__}"
"""Never like a browser's: the dashboard shows those redacted environment values."""

CONNECT_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 120.0
"""The first PUT on a cluster starts Serve, which waits up to 60 seconds for its proxies
(`ray.serve._private.constants.HTTP_PROXY_TIMEOUT`)."""

_BACKOFF_S = (0.25, 1.0, 2.5)
"""Waits between the attempts of a read."""

_BUSY = frozenset({429, 502, 503, 504})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Transport:
    """One dashboard's HTTP connection. A context manager."""

    def __init__(
        self,
        address: str,
        *,
        token: str | None,
        ca_file: str | None,
        timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        url = _url(address)
        self.address = str(url.copy_with(username=None, password=None)).rstrip("/")
        """The dashboard's address as shown to people: without credentials."""
        self._sleep = sleep
        self._has_token = token is not None
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            base_url=url,
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            verify=_trusted(ca_file) if url.scheme == "https" else True,
            # A proxy from the environment is for what is far away.
            trust_env=url.host not in _LOOPBACK,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> httpx.Response:
        """A read, tried again a few times while nobody answers or the dashboard is busy. Raises `ServeError`."""
        for wait_s in (*_BACKOFF_S, None):
            try:
                response = self._client.get(path, params=dict(params or {}))
            except (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError) as error:
                if wait_s is None or _is_tls(error):
                    raise self._unreachable(error) from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise self._unreachable(error) from error
            else:
                if response.status_code not in _BUSY:
                    return self._authorised(response)
                if wait_s is None:
                    raise Unreachable(
                        f"the Ray dashboard at {self.address} is not ready ({response.status_code}): "
                        f"{response.text.strip()[:500]}",
                        "it may be starting or overloaded: try again in a minute",
                    )
            self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def get_json(self, path: str, params: Mapping[str, str] | None = None) -> JsonValue:
        """A read whose answer is JSON. Raises `BadAnswer` for anything else."""
        response = self.get(path, params)
        if response.status_code != 200:
            raise BadAnswer(
                f"{self.address}{path} answered {response.status_code}: {response.text.strip()[:500]}",
                "check that the address is that of a Ray dashboard",
            )
        try:
            return response.json()
        except ValueError:
            raise BadAnswer(
                f"{self.address}{path} did not answer JSON",
                "check that the address is that of a Ray dashboard, not of a login page in front of it",
            ) from None

    def put(self, path: str, *, json: JsonValue = None, content: bytes | None = None) -> httpx.Response:
        """A write, sent once: after a doubtful answer only the caller can tell what to do. Raises `ServeError`."""
        options: dict[str, Any] = {"content": content} if content is not None else {"json": json}
        timeout = httpx.Timeout(WRITE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        try:
            return self._authorised(self._client.put(path, timeout=timeout, **options))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error

    def _authorised(self, response: httpx.Response) -> httpx.Response:
        if response.status_code not in (401, 403):
            return response
        hint = (
            "the token is not the cluster's: compare it with what `ray get-auth-token` prints on the head node"
            if self._has_token
            else "name the token's source in the cluster file: `dashboard.token.env` or `dashboard.token.file`"
        )
        said = "refuses the token" if self._has_token else "wants a token"
        raise Unauthorized(f"the Ray dashboard at {self.address} {said} ({response.status_code})", hint)

    def _unreachable(self, error: Exception) -> Unreachable:
        if "WRONG_VERSION_NUMBER" in str(error):
            hint = "it speaks no TLS: write the address as `http://`"
        elif _is_tls(error):
            hint = "a certificate of your own authority? name its PEM file as `dashboard.ca_file` in the cluster file"
        else:
            hint = "is the cluster up? `reconcile local up` starts the local one"
        return Unreachable(f"cannot reach the Ray dashboard at {self.address} ({_reason(error)})", hint)


def _url(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ServeError(f"`{address}` is no address of a dashboard", "write it as `http://host:8265`")
    return url


def _trusted(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = (error.strerror or str(error)).lower()
        raise ServeError(
            f"cannot read the certificates in `{ca_file}` ({reason})", "`dashboard.ca_file` names a PEM file"
        ) from None


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    text = str(error).strip()
    if text.startswith("[Errno") and "]" in text:
        text = text.partition("]")[2].strip()
    return text[:1].lower() + text[1:] if text else type(error).__name__

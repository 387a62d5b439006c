"""HTTP to one Ray dashboard: time-outs, bounded retries on reads, and every failure turned into a `ServeError`."""

import secrets
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from reconciler.serve import http_client
from reconciler.serve.connections import LOOPBACK
from reconciler.serve.errors import BadAnswer, Unauthorized, Unreachable
from reconciler.serve.http_client import Answer, HttpClient, NoAnswer, Sender
from reconciler.state.json_value import JsonValue, parse_json

WRITE_TIMEOUT_S = 120.0
"""The first PUT on a cluster starts Serve, which waits up to 60 seconds for its proxies
(`ray.serve._private.constants.HTTP_PROXY_TIMEOUT`)."""

_BACKOFF_S = (0.25, 1.0, 2.5)
"""Waits between the attempts of a read."""

_BUSY = frozenset({429, 502, 503, 504})


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
        sender: Sender | None = None,
    ) -> None:
        self._sleep = sleep
        self._has_token = token is not None
        self.agent = f"{http_client.USER_AGENT} ({secrets.token_hex(8)})"
        """What this client calls itself, which no other one does."""
        headers = {"User-Agent": self.agent}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._client = HttpClient(address, headers=headers, ca_file=ca_file, timeout_s=timeout_s, sender=sender)
        self.address = self._client.address
        """The dashboard's address as shown to people: without credentials."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """A read, tried again a few times while nobody answers or the dashboard is busy. Raises `ServeError`."""
        for wait_s in (*_BACKOFF_S, None):
            try:
                response = self._client.request("GET", path, params=params)
            except NoAnswer as error:
                if wait_s is None or error.is_timeout or error.is_tls:
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

    def get_json(
        self, path: str, params: Mapping[str, str] | None = None, *, parse: Callable[[bytes], JsonValue] = parse_json
    ) -> JsonValue:
        """A read whose answer is JSON, for which `parse` raises no ValueError. Raises `BadAnswer` for anything else."""
        response = self.get(path, params)
        if response.status_code != 200:
            raise BadAnswer(
                f"{self.address}{path} answered {response.status_code}: {response.text.strip()[:500]}",
                "check that the address is that of a Ray dashboard",
            )
        try:
            return parse(response.content)
        except ValueError:
            raise BadAnswer(
                f"{self.address}{path} did not answer JSON",
                "check that the address is that of a Ray dashboard, not of a login page in front of it",
            ) from None

    def put(self, path: str, *, json: JsonValue = None, content: bytes | None = None) -> Answer:
        """A write, sent once: after a doubtful answer only the caller can tell what to do. Raises `ServeError`."""
        return self.send("PUT", path, json=json, content=content)

    def send(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        content: bytes | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """A write with any method, sent once, within `WRITE_TIMEOUT_S` if nothing else is said. Raises `ServeError`."""
        timeout_s = WRITE_TIMEOUT_S if timeout_s is None else timeout_s
        try:
            answer = self._client.request(method, path, json=json, content=content, timeout_s=timeout_s)
        except NoAnswer as error:
            raise self._unreachable(error) from error
        return self._authorised(answer)

    def _authorised(self, response: Answer) -> Answer:
        if response.status_code not in (401, 403):
            return response
        hint = (
            "the token is not the cluster's: compare it with what `ray get-auth-token` prints on the head node"
            if self._has_token
            else "name the token's source in the cluster file: `dashboard.token.env` or `dashboard.token.file`"
        )
        said = "refuses the token" if self._has_token else "wants a token"
        raise Unauthorized(
            f"the Ray dashboard at {self.address} {said} ({response.status_code})", hint, response.status_code
        )

    def _unreachable(self, error: NoAnswer) -> Unreachable:
        if "WRONG_VERSION_NUMBER" in error.reason:
            hint = "it speaks no TLS: write the address as `http://`"
        elif error.is_tls:
            hint = "a certificate of your own authority? name its PEM file as `dashboard.ca_file` in the cluster file"
        elif urlsplit(self.address).hostname in LOOPBACK:
            hint = "is the cluster up? `reconcile local up` starts the local one"
        else:
            hint = "is the cluster up, and within reach of this machine? its file says where it is: `dashboard.address`"
        return Unreachable(f"cannot reach the Ray dashboard at {self.address} ({error.reason})", hint)

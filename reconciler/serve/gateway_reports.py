"""Asking the gateway of a cluster what it counts and hears (`runtime.gateway`, below `/reconciler/`)."""

from collections.abc import Callable
from typing import TypeVar

from reconciler.serve.errors import ServeError
from reconciler.serve.gateway_key import gateway_headers
from reconciler.serve.http_client import HttpClient, NoAnswer, Sender
from reconciler.state.json_value import JsonValue

T = TypeVar("T")


class GatewaySilent(Exception):
    """The gateway did not say it. `reason` says why, in words that continue a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def ask_gateway(
    address: str,
    path: str,
    read: Callable[[JsonValue], T],
    *,
    token: str | None,
    lacking: str,
    timeout_s: float,
    sender: Sender | None = None,
) -> T:
    """What `read` makes of the answer of the gateway at an address such as `http://llm.example`; a shape that `read`
    does not expect is nobody's gateway. `token` is the key to it, where it asks for one; `lacking` says what a gateway
    cannot do that does not know the path.

    Raises `GatewaySilent`.
    """
    try:
        http = HttpClient(address, headers=gateway_headers(token), timeout_s=timeout_s, sender=sender)
    except ServeError as error:
        raise GatewaySilent(error.message) from None
    try:
        answer = http.request("GET", path)
    except NoAnswer as error:
        raise GatewaySilent(f"the gateway at {http.address} cannot be reached from here ({error.reason})") from None
    finally:
        http.close()
    if answer.status_code == 404:
        raise GatewaySilent(f"the gateway at {http.address} is of a version that does not {lacking}")
    if answer.status_code in (401, 403):
        raise GatewaySilent(f"the gateway at {http.address} wants a key for all models: see `gateway.token`")
    if answer.status_code != 200:
        raise GatewaySilent(f"the gateway at {http.address} answered {answer.status_code}")
    try:
        return read(answer.json())
    except (AttributeError, KeyError, TypeError, ValueError):
        raise GatewaySilent(f"what answers at {http.address} is not the gateway") from None

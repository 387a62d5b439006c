"""One real request through the gateway: the last proof that a new version serves."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from reconciler.apply.evidence import first_line

EMBEDDING = "embedding"
"""The `kind` of a route whose model answers `/v1/embeddings` (`state.desired.route`)."""

_PROMPT = "Say hello."
_MAX_TOKENS = 8
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class SmokeAnswer:
    """What was asked, the start of the answer and the seconds it took."""

    asked: str
    text: str
    seconds: float


class SmokeFailed(Exception):
    """A request was not answered as it should be. `settling`: the same request may be answered a little later.
    `unreachable`: nobody was asked, because there is no way from here to the gateway's address."""

    def __init__(self, message: str, *, settling: bool, unreachable: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.settling = settling
        self.unreachable = unreachable


class SmokeTest(Protocol):
    """Asks the gateway, once each time; the caller decides how long to go on."""

    def ask(self, model_id: str, kind: str) -> SmokeAnswer:
        """One short completion, or an embedding. Raises `SmokeFailed`."""
        ...

    def models(self) -> frozenset[str]:
        """The ids that the gateway lists. Raises `SmokeFailed`."""
        ...


class GatewaySmoke:
    """Asks the OpenAI API of the gateway at an address such as `http://127.0.0.1:8000`; each request may take
    `timeout_s` seconds."""

    def __init__(
        self, gateway_address: str, *, timeout_s: float = 30.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._address = gateway_address
        self._options: dict[str, Any] = {
            "base_url": gateway_address,
            "timeout": timeout_s,
            "transport": transport,
            # A proxy from the environment is for what is far away.
            "trust_env": httpx.URL(gateway_address).host not in _LOOPBACK,
        }

    def ask(self, model_id: str, kind: str) -> SmokeAnswer:
        """One completion of at most eight tokens, or an embedding. Raises `SmokeFailed`."""
        begun = time.monotonic()
        if kind == EMBEDDING:
            asked, text = "an embedding", self._embedding(model_id)
        else:
            asked, text = "a completion", self._completion(model_id)
        return SmokeAnswer(asked, text, time.monotonic() - begun)

    def models(self) -> frozenset[str]:
        """The ids of `GET /v1/models`. Raises `SmokeFailed`."""
        response = self._send("GET", "/v1/models")
        return frozenset(str(entry["id"]) for entry in _listed(_answer(response), "data", "/v1/models"))

    def _completion(self, model_id: str) -> str:
        body = {"model": model_id, "max_tokens": _MAX_TOKENS, "temperature": 0}
        path = "/v1/chat/completions"
        response = self._send("POST", path, {**body, "messages": [{"role": "user", "content": _PROMPT}]})
        if response.status_code == 400:
            # A model without a chat template refuses every conversation, though it completes text.
            path = "/v1/completions"
            response = self._send("POST", path, {**body, "prompt": _PROMPT})
        choice = _first(_answer(response), "choices", path)
        message = choice.get("message") or {}
        return str(choice.get("text") or message.get("content") or message.get("reasoning_content") or "")

    def _embedding(self, model_id: str) -> str:
        path = "/v1/embeddings"
        response = self._send("POST", path, {"model": model_id, "input": _PROMPT})
        vector = _listed(_first(_answer(response), "data", path), "embedding", path)
        return f"{len(vector)} dimensions"

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            with httpx.Client(**self._options) as http:
                return http.request(method, path, json=body)
        except httpx.HTTPError as error:
            message = f"no answer from {self._address}{path}: {str(error) or type(error).__name__}"
            unreachable = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise SmokeFailed(message, settling=True, unreachable=unreachable) from error


def _answer(response: httpx.Response) -> Mapping[str, Any]:
    path, status = response.request.url.path, response.status_code
    if status != 200:
        # 404: a gateway replica that has not got its new routing table yet. 5xx: replicas that are just starting.
        settling = status in (404, 408, 429) or status >= 500
        raise SmokeFailed(f"{path} answered {status}: {first_line(response.text)}", settling=settling)
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise SmokeFailed(f"{path} answered with something else than a JSON object", settling=True)
    return answer


def _first(answer: Mapping[str, Any], key: str, path: str) -> Mapping[str, Any]:
    found = _listed(answer, key, path)
    if not found or not isinstance(found[0], Mapping):
        raise SmokeFailed(f"{path} answered with an empty `{key}`", settling=False)
    return found[0]


def _listed(answer: Mapping[str, Any], key: str, path: str) -> list[Any]:
    found = answer.get(key)
    if not isinstance(found, list):
        raise SmokeFailed(f"{path} answered without `{key}`", settling=False)
    return found

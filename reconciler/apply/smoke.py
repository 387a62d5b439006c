"""One real request through the gateway: the last proof that a new version serves."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.apply.evidence import first_line
from reconciler.serve.gateway_key import gateway_headers
from reconciler.serve.http_client import Answer, HttpClient, NoAnswer, Sender

EMBEDDING = "embedding"
"""The `kind` of a route whose model answers `/v1/embeddings` (`state.desired.route`)."""

_PROMPT = "Say hello."
_FINAL = '"adapter_unavailable"'
"""The code of an engine's answer for an adapter that it could not load (`runtime.engine.refusal`)."""
_MAX_TOKENS = 8
_LATER_LIMIT = "max_completion_tokens"
"""OpenAI's later name of the limit, which an answer of 400 may ask for."""


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
    """Asks the OpenAI API of the gateway at an address such as `http://127.0.0.1:8000`, with the key `token` where it
    asks for one; each request may take `timeout_s` seconds."""

    def __init__(
        self, gateway_address: str, token: str | None = None, *, timeout_s: float = 30.0, sender: Sender | None = None
    ) -> None:
        self._address = gateway_address
        # No canary and no fallback: what is to be proven is that this very model answers.
        self._headers = {**gateway_headers(token), "X-Reconciler-Exact": "true"}
        self._timeout_s = timeout_s
        self._sender = sender

    def ask(self, model_id: str, kind: str) -> SmokeAnswer:
        """One completion of at most eight tokens, or an embedding. Raises `SmokeFailed`."""
        begun = time.monotonic()
        asked = "an embedding" if kind == EMBEDDING else "a completion"
        try:
            text = self._embedding(model_id) if kind == EMBEDDING else self._completion(model_id)
        except _UsedUp as error:
            # The model's own replica says so, which is all that there is to know until the budget's next window.
            text = str(error)
        return SmokeAnswer(asked, text, time.monotonic() - begun)

    def models(self) -> frozenset[str]:
        """The ids of `GET /v1/models`. Raises `SmokeFailed`."""
        response = self._send("GET", "/v1/models")
        return frozenset(str(entry["id"]) for entry in _listed(_answer(response, "/v1/models"), "data", "/v1/models"))

    def _completion(self, model_id: str) -> str:
        body = {"model": model_id, "max_tokens": _MAX_TOKENS, "temperature": 0}
        path = "/v1/chat/completions"
        messages = [{"role": "user", "content": _PROMPT}]
        response = self._send("POST", path, {**body, "messages": messages})
        if response.status_code == 400 and _LATER_LIMIT in response.text:
            # A service's reasoning model: another name for the limit, and no temperature to choose.
            response = self._send("POST", path, {"model": model_id, _LATER_LIMIT: _MAX_TOKENS, "messages": messages})
        elif response.status_code == 400 or _refuses_conversations(response):
            # A model without a chat template refuses every conversation, though it completes text.
            path = "/v1/completions"
            response = self._send("POST", path, {**body, "prompt": _PROMPT})
        choice = _first(_answer(response, path), "choices", path)
        message = choice.get("message") or {}
        return str(choice.get("text") or message.get("content") or message.get("reasoning_content") or "")

    def _embedding(self, model_id: str) -> str:
        path = "/v1/embeddings"
        response = self._send("POST", path, {"model": model_id, "input": _PROMPT})
        vector = _listed(_first(_answer(response, path), "data", path), "embedding", path)
        return f"{len(vector)} dimensions"

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        # A client for each question: a gateway that restarts takes open connections with it.
        http = HttpClient(self._address, headers=self._headers, timeout_s=self._timeout_s, sender=self._sender)
        try:
            return http.request(method, path, json=body)
        except NoAnswer as error:
            said = f"no answer from {self._address}{path}"
            message = f"{said} in time" if error.is_timeout else f"{said}: {error.reason}"
            raise SmokeFailed(message, settling=True, unreachable=error.never_connected) from error
        finally:
            http.close()


class _UsedUp(Exception):
    """The budget of a model that somebody else runs is used up."""


def _refuses_conversations(response: Answer) -> bool:
    """Whether the model's file says `chat: false`; any other 404 is a table that has not arrived."""
    return response.status_code == 404 and "chat_disabled" in response.text


def _answer(response: Answer, path: str) -> Mapping[str, Any]:
    status = response.status_code
    if status == 429 and "budget_exceeded" in response.text:
        raise _UsedUp(first_line(response.text))
    if status != 200:
        # 404: a gateway replica that has not got its new routing table yet. 5xx: replicas that are just starting.
        settling = (status in (404, 408, 429) or status >= 500) and _FINAL not in response.text
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

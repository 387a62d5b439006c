"""The gateway as somebody who asks a model sees it: an OpenAI API."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.serve.answers import Answer, NoAnswer
from reconciler.serve.errors import BadAnswer, GatewayRefused, Unreachable
from reconciler.serve.event_stream import DONE, events
from reconciler.serve.gateway_key import gateway_headers
from reconciler.serve.http_client import HttpClient, Sender
from reconciler.serve.open_answer import OpenAnswer
from reconciler.state.json_value import JsonValue, parse_json

USER_AGENT = f"reconcile-query/{__version__}"
"""Another one than that of smoke tests, which the gateway leaves out when it counts who uses a model: whoever asks a
model by hand uses it."""

PATIENCE_S = 600.0
"""The longest silence that is waited out: a model that was scaled to zero loads its weights first."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer."""

    text: str = ""
    reasoning: str = ""
    """What the model thinks before it answers, where the engine tells the two apart."""
    finish: str | None = None
    """Why the model stopped, in the last piece: `stop`, `length` or another word of the API."""


class Gateway:
    """The gateway at an address such as `https://models.example.com`. Safe to close at any time.

    Every method raises `GatewayRefused` for an error that it answers with, `Unreachable` when it does not answer, and
    `BadAnswer` for what is no answer of such an API or broke off.
    """

    def __init__(self, address: str, *, token: str | None = None, sender: Sender | None = None) -> None:
        headers = {"User-Agent": USER_AGENT, **gateway_headers(token)}
        self._http = HttpClient(address, headers=headers, timeout_s=PATIENCE_S, sender=sender)
        self.address = self._http.address
        """As it is shown to people: without credentials."""

    def kind(self, model: str) -> str:
        """What the model of an id or alias is for: `generation` or `embedding`."""
        card = self._json("GET", f"/v1/models/{quote(model)}")
        return str((card.get("metadata") or {}).get("kind") or "generation")

    def models(self) -> list[str]:
        """The ids of all models, sorted."""
        return sorted(str(card["id"]) for card in self._json("GET", "/v1/models").get("data") or [])

    def answer(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole answer to a request."""
        return self._json("POST", path, dict(body))

    def pieces(self, path: str, body: Mapping[str, Any]) -> Iterator[Piece]:
        """The answer to a request piece by piece. Whoever stops listening ends the request."""
        with self._open("POST", path, {**body, "stream": True}) as answer:
            for event in events(self._lines(answer)):
                if event == DONE:
                    return
                document = self._document(event.encode())
                if "error" in document:
                    raise _refused(answer.status_code, document)
                yield from pieces_of(document)
        raise BadAnswer(f"the answer of {self.address} broke off", "ask again; `reconcile status` shows what happened")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _json(self, method: str, path: str, body: JsonValue = None) -> Mapping[str, Any]:
        with self._open(method, path, body) as answer:
            return self._document(self._whole(answer).content)

    @contextmanager
    def _open(self, method: str, path: str, body: JsonValue) -> Iterator[OpenAnswer]:
        """An answer that is no error."""
        try:
            opened = self._http.open(method, path, json=body)
        except NoAnswer as error:
            raise self._silent(error) from error
        with opened as answer:
            if answer.status_code != 200:
                raise self._error(self._whole(answer))
            yield answer

    def _whole(self, answer: OpenAnswer) -> Answer:
        try:
            return answer.whole()
        except NoAnswer as error:
            raise self._silent(error) from error

    def _lines(self, answer: OpenAnswer) -> Iterator[bytes]:
        try:
            yield from answer.lines()
        except NoAnswer as error:
            raise self._silent(error) from error

    def _document(self, content: bytes) -> Mapping[str, Any]:
        try:
            found = parse_json(content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise BadAnswer(
                f"what answers at {self.address} is not the gateway",
                "check `gateway.address` in the cluster file: a login page or another server may be in front of it",
            )
        return found

    def _error(self, answer: Answer) -> GatewayRefused:
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict) or "error" not in document:
            document = {"error": {"message": f"{self.address} answered: {answer.text.strip()[:500] or 'nothing'}"}}
        return _refused(answer.status_code, document)

    def _silent(self, error: NoAnswer) -> Unreachable:
        return Unreachable(
            f"no answer from the gateway at {self.address} ({error.reason})",
            "`reconcile status` shows whether it runs",
        )


def pieces_of(document: Mapping[str, Any]) -> Iterator[Piece]:
    """The pieces in a chunk of a stream, or in a whole answer, of a chat or of a completion."""
    for choice in document.get("choices") or ():
        said = choice.get("delta") or choice.get("message") or choice
        yield Piece(
            text=said.get("content") or said.get("text") or "",
            # vLLM before 0.12 and llama.cpp call it by the longer name.
            reasoning=said.get("reasoning") or said.get("reasoning_content") or "",
            finish=choice.get("finish_reason"),
        )


def _refused(status: int, document: Mapping[str, Any]) -> GatewayRefused:
    error = document["error"]
    if not isinstance(error, dict):
        error = {"message": error}
    return GatewayRefused(status, str(error.get("message") or "no explanation"))

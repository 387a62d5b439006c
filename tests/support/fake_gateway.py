"""A gateway over real HTTP whose answers the test gives, and what it was asked."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.web import Handler, serving

CHAT = "acme/chat"
VECTORS = "acme/vectors"


@dataclass
class FakeGateway:
    """Serves a chat model, which says the last question backwards word by word, and an embedding model."""

    address: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Paths and bodies of all questions."""
    agents: list[str] = field(default_factory=list)
    pause_s: float = 0.0
    """Between the words of a stream."""
    refusal: tuple[int, dict[str, Any] | str] | None = None
    """What every question is answered with instead."""
    breaks_after: int | None = None
    """How many words of a stream come before the connection ends."""
    fails_after: int | None = None
    """How many words of a stream come before an error event."""
    finish: str = "stop"
    reasoning: str = ""
    left: threading.Event = field(default_factory=threading.Event)
    """Set when a client goes away in the middle of a stream."""

    def words(self, body: dict[str, Any]) -> list[str]:
        """The answer to a question, in pieces."""
        question = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        return [f"{word[::-1]} " for word in question.split()]


@contextmanager
def fake_gateway() -> Iterator[FakeGateway]:
    """A gateway until the block ends."""
    found = FakeGateway()

    class Answers(Handler):
        def do_GET(self) -> None:
            known = {CHAT: "generation", VECTORS: "embedding", "quick": "generation"}
            cards = [{"id": name, "metadata": {"kind": kind}} for name, kind in known.items()]
            if self.path == "/v1/models":
                self._json(200, {"data": cards})
                return
            name = self.path.removeprefix("/v1/models/")
            card = next((card for card in cards if card["id"] == name), None)
            if card is None:
                error = {"message": f"There is no model `{name}`. Served: ...", "code": "model_not_found"}
                self._json(404, {"error": error})
            else:
                self._json(200, card)

        def do_POST(self) -> None:
            body = json.loads(self.body())
            found.asked.append((self.path, body))
            found.agents.append(self.headers["User-Agent"])
            if found.refusal is not None:
                status, said = found.refusal
                self.reply(status, said.encode()) if isinstance(said, str) else self._json(status, {"error": said})
            elif self.path == "/v1/embeddings":
                self._json(200, {"data": [{"embedding": [0.5, -1.0]}]})
            elif body.get("stream"):
                self._stream(body)
            else:
                self._json(200, {"choices": [_choice(body, "".join(found.words(body)), found.finish, "message")]})

        def _stream(self, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                if found.reasoning:
                    self._event({"choices": [{"delta": {"reasoning": found.reasoning}, "finish_reason": None}]})
                for number, word in enumerate(found.words(body)):
                    if number == found.breaks_after:
                        self.close_connection = True
                        return
                    if number == found.fails_after:
                        self._event({"error": {"message": "the replica is gone", "code": "model_unavailable"}})
                        break
                    self._event({"choices": [_choice(body, word, None, "delta")]})
                    time.sleep(found.pause_s)
                else:
                    self._event({"choices": [_choice(body, "", found.finish, "delta")]})
                self._chunk(b": keep alive\n\n")
                self._chunk(b"data: [DONE]\n\n")
                self._chunk(b"")
            except OSError:
                found.left.set()

        def _event(self, document: dict[str, Any]) -> None:
            self._chunk(f"data: {json.dumps(document)}\n\n".encode())

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        def _json(self, status: int, document: Any) -> None:
            self.reply(status, json.dumps(document).encode())

    with serving(Answers) as address:
        found.address = address
        yield found


def _choice(body: dict[str, Any], text: str, finish: str | None, part: str) -> dict[str, Any]:
    if "prompt" in body:
        return {"text": text, "finish_reason": finish}
    return {part: {"content": text}, "finish_reason": finish}

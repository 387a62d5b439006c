"""In place of the network: what `HttpClient` sends is answered by a function of the test."""

from collections.abc import Callable, Mapping

import httpx

from reconciler.serve.answers import Answer, NoAnswer

Answering = Callable[[httpx.Request], httpx.Response]


class FakeSender:
    """Takes requests as `serve.connections.Connections` does. The test sees and gives httpx's values, which are easy
    to write, or raises `NoAnswer`."""

    def __init__(self, answer: Answering, address: str = "http://gateway") -> None:
        self._answer = answer
        self._address = address
        self.cleared = 0
        """How often all connections were closed."""

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float
    ) -> Answer:
        """One request, answered by the test."""
        answer = self._answer(httpx.Request(method, self._address + target, headers=dict(headers), content=body))
        return Answer(answer.status_code, answer.content)

    def close(self) -> None:
        """Close all connections."""
        self.cleared += 1


def refused() -> NoAnswer:
    """Nobody listens."""
    return NoAnswer(ConnectionRefusedError(111, "Connection refused"), never_connected=True)


def silent() -> NoAnswer:
    """Somebody listens and does not answer."""
    return NoAnswer(TimeoutError("timed out"))


def reset() -> NoAnswer:
    """The connection ends before the answer does."""
    return NoAnswer(ConnectionResetError(104, "Connection reset by peer"))

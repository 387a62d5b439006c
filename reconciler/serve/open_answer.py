"""An answer that is read as it comes, such as a stream of events."""

import http.client
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

from reconciler.serve.answers import Answer, NoAnswer


class Body(Protocol):
    """What comes on a connection: `http.client.HTTPResponse`."""

    def readline(self) -> bytes:
        """The next line with its end; nothing at the end of the body. Returns as soon as the line is there."""
        ...

    def read(self) -> bytes:
        """The rest."""
        ...


class OpenAnswer:
    """An answer of which the status is known and the body is still to come. A context manager that closes the
    connection, which tells the server that nobody listens any more."""

    def __init__(self, status_code: int, body: Body, close: Callable[[], None]) -> None:
        self.status_code = status_code
        self._body = body
        self._close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._close()

    def lines(self) -> Iterator[bytes]:
        """The lines of the body as they come, without their ends. Raises `NoAnswer` when one does not come in time."""
        while line := self._read(self._body.readline):
            yield line.rstrip(b"\r\n")

    def whole(self) -> Answer:
        """All of it at once. Raises `NoAnswer`."""
        return Answer(self.status_code, self._read(self._body.read))

    @staticmethod
    def _read(read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(error) from error

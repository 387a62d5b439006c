"""Read, compare, PUT, read back, compare: the only way apply writes.

Ray's PUT has no version to compare with and an error answer may have been stored all the same, so every write stands
between two reads: a lost update is noticed, and a doubtful answer is settled by looking.
"""

from reconciler.apply.clock import Clock
from reconciler.apply.document import Document, differences
from reconciler.apply.errors import LiveChanged, LostUpdate, StateUnknown
from reconciler.apply.overwritten import overwritten
from reconciler.serve.errors import PutRefused, ServeError, Unauthorized
from reconciler.serve.protocols import ServeReader, ServeWriter
from reconciler.state.live import LiveState, UnknownState

PUT_ATTEMPTS = 4
READ_ATTEMPTS = 4
RETRY_S = 2.0
"""Seconds between two attempts. Reads are retried only after a write, where giving up leaves a doubt."""


class NotTaken(Exception):
    """The cluster did not take a document, and nothing changed. `message` is its explanation."""

    def __init__(self, error: ServeError) -> None:
        super().__init__(error.message)
        self.message = error.message


def read(reader: ServeReader) -> LiveState:
    """What is live now. Raises `StateUnknown`."""
    try:
        live = reader.live_state()
    except ServeError as error:
        raise StateUnknown(error.message, error.hint or "check the cluster, then run it again") from error
    if isinstance(live, UnknownState):
        raise StateUnknown(live.reason, live.hint)
    return live


class Exchange:
    """One document after the other, each compared before and after."""

    def __init__(self, reader: ServeReader, writer: ServeWriter, clock: Clock) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock

    def expect(self, expected: Document, fingerprint: str | None = None) -> LiveState:
        """What is live now, which must be the expected document or have that fingerprint.

        Raises `LiveChanged` or `StateUnknown`.
        """
        live = self.read()
        if live.fingerprint != fingerprint:
            found = differences(expected, live)
            if found:
                raise LiveChanged(found)
        return live

    def read(self) -> LiveState:
        """What is live now. Raises `StateUnknown`."""
        return read(self._reader)

    def send(self, document: Document, before: LiveState) -> None:
        """PUT the document over what was just read, and read it back.

        Raises `NotTaken` when nothing changed, `LostUpdate` when something else stands there now than the document or
        when the document took away what somebody wrote since `before`, `StateUnknown` when it cannot be read back.
        """
        attempts = 0
        while True:
            attempts += 1
            trouble = self._put(document)
            live = self._read_back()
            found = differences(document, live)
            if not found:
                found = overwritten(before, document, live)
                if found:
                    raise LostUpdate(found)
                return
            if trouble is None or differences(Document.of_live(before), live):
                raise LostUpdate(found)
            if attempts == PUT_ATTEMPTS or _is_final(trouble):
                raise NotTaken(trouble)
            self._clock.sleep(RETRY_S)

    def _put(self, document: Document) -> ServeError | None:
        try:
            self._writer.put(document.body)
        except ServeError as error:
            return error
        return None

    def _read_back(self) -> LiveState:
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return self.read()
            except StateUnknown:
                self._clock.sleep(RETRY_S)
        return self.read()


def _is_final(trouble: ServeError) -> bool:
    """Whether sending the same again cannot help."""
    return isinstance(trouble, Unauthorized) or (isinstance(trouble, PutRefused) and trouble.status < 500)

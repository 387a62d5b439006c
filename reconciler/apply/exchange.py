"""Read, compare, PUT, read back, compare: the only way apply writes.

Ray's PUT has no version to compare with and an error answer may have been stored all the same, so every write stands
between two reads: a lost update is noticed, and a doubtful answer is settled by looking. Right before each PUT a fence
is asked whether this run may still write (`Lease.check`).
"""

from collections.abc import Callable

from reconciler.apply.clock import Clock
from reconciler.apply.document import Document, differences
from reconciler.apply.errors import LiveChanged, LostUpdate, StateUnknown
from reconciler.apply.overwritten import overwritten, under_update
from reconciler.serve.errors import PutRefused, ServeError, Unauthorized
from reconciler.serve.protocols import ServeReader, ServeWriter
from reconciler.state.live import LiveState, UnknownState

PUT_ATTEMPTS = 4
READ_ATTEMPTS = 4
RETRY_S = 2.0
"""Seconds between two attempts. Reads are retried only once something was sent: before that, giving up costs nothing;
after it, it leaves a doubt, or a failed model that is not taken back."""


Fence = Callable[[], None]
"""Returns if this run may write now; raises `LeaseLost` otherwise."""


def no_fence() -> None:
    """Any run may write at any time: nothing keeps two of them apart."""


class NotTaken(Exception):
    """The cluster did not take a document, and nothing changed. `message` is its explanation."""

    def __init__(self, error: ServeError) -> None:
        super().__init__(error.message)
        self.message = error.message
        self.is_refusal = isinstance(error, PutRefused)


def read(reader: ServeReader) -> LiveState:
    """What is live now. Raises `StateUnknown`."""
    try:
        live = reader.look_again()
    except ServeError as error:
        raise StateUnknown(error.message, error.hint or "check the cluster, then run it again") from error
    if isinstance(live, UnknownState):
        raise StateUnknown(live.reason, live.hint)
    return live


class Exchange:
    """One document after the other, each compared before and after."""

    def __init__(self, reader: ServeReader, writer: ServeWriter, clock: Clock, fence: Fence = no_fence) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._has_sent = False
        self._fence = fence

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
        """What is live now; asked for a few times once something was sent. Raises `StateUnknown`."""
        for _ in range(READ_ATTEMPTS - 1 if self._has_sent else 0):
            try:
                return read(self._reader)
            except StateUnknown:
                self._clock.sleep(RETRY_S)
        return read(self._reader)

    def send(self, document: Document, before: LiveState) -> None:
        """PUT the document over what was just read, and read it back.

        Raises `NotTaken` when nothing changed, `LostUpdate` when something else stands there now than the document or
        when the document took away what somebody wrote since `before`, `StateUnknown` when it cannot be read back,
        `LeaseLost` when the fence is closed.
        """
        attempts = 0
        while True:
            attempts += 1
            self._fence()
            trouble = self._put(document)
            live = self.read()
            found = differences(document, live)
            if not found:
                self._settle(before, document, live)
                return
            if differences(Document.of_live(before), live) or (trouble is None and _is_touched(before, live)):
                raise LostUpdate(found, self._other_writers())
            if trouble is None:
                trouble = ServeError(
                    "the dashboard's address answered 200, but the cluster stands as it stood before",
                    "is there a proxy or a login page in front of the dashboard?",
                )
            if attempts == PUT_ATTEMPTS or _is_final(trouble):
                raise NotTaken(trouble)
            self._clock.sleep(RETRY_S)

    def _settle(self, before: LiveState, document: Document, after: LiveState) -> None:
        """The document stands there. Raises `LostUpdate` if it took away what somebody else had written."""
        found, writers = overwritten(before, document, after), self._other_writers()
        if found or writers:
            raise LostUpdate(found or under_update(before, document, after), writers)

    def _other_writers(self) -> tuple[str, ...]:
        try:
            return self._reader.other_writers()
        except ServeError:
            return ()

    def _put(self, document: Document) -> ServeError | None:
        self._has_sent = True
        try:
            self._writer.put(document.body)
        except ServeError as error:
            return error
        return None


def _is_touched(before: LiveState, after: LiveState) -> bool:
    """Whether a PUT was taken in between: it is the newest deployment of every application that it lists
    (`ApplicationState.apply_app_config` in Ray 2.60)."""
    deployed = {entry.name: entry.last_deployed_s for entry in before.applications}
    return any(deployed.get(entry.name, entry.last_deployed_s) != entry.last_deployed_s for entry in after.applications)


def _is_final(trouble: ServeError) -> bool:
    """Whether sending the same again cannot help."""
    return isinstance(trouble, Unauthorized) or (isinstance(trouble, PutRefused) and trouble.status < 500)

"""Renewing a lease while the run does something else.

A thread of its own, because a question to a model, an upload or a read of a slow dashboard may take longer than a
lease lasts. It never writes anything but the lease. That it could not be renewed is told by `Lease.check`.
"""

from threading import Event, Thread
from types import TracebackType
from typing import Self

from reconciler.apply.errors import LeaseLost
from reconciler.apply.lease import Lease
from reconciler.serve.errors import ServeError

_AGAIN_S = 5.0
"""Wait before the next attempt when the cluster could not be asked."""


class LeaseKeeper:
    """Renews a lease that is held, from entering until leaving, and gives it back then."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._done = Event()
        # A run that is ended at once must not wait for it.
        self._thread = Thread(target=self._keep, name="lease", daemon=True)
        self.released = False
        """Whether the lease was certainly given back."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._done.set()
        self.released = self._lease.release()

    def _keep(self) -> None:
        wait_s = self._lease.terms.renew_s
        while not self._done.wait(wait_s):
            try:
                self._lease.renew()
            except LeaseLost:
                return
            except ServeError:
                wait_s = min(_AGAIN_S, self._lease.terms.renew_s)
            else:
                wait_s = self._lease.terms.renew_s

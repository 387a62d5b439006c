"""SIGINT and SIGTERM while the cluster is being changed: the first one stops at a safe point, the second at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from reconciler.apply.stop import StopSignal
from reconciler.cli.console import Console
from reconciler.cli.failure import INTERRUPTED


@contextmanager
def interruptible(console: Console) -> Iterator[StopSignal]:
    """The stop signal that the executor looks at; the handlers that were there come back at the end."""
    stop = StopSignal()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            console.note("interrupted at once; `reconcile apply` goes on from wherever the cluster is now")
            os._exit(INTERRUPTED)
        stop.request()
        console.note("stopping at the next safe point; once more stops at once")

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in signals}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""What an apply works with, besides the one thing that writes."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.apply.clock import Clock
from reconciler.apply.events import Event
from reconciler.apply.smoke import SmokeTest
from reconciler.apply.stop import StopSignal
from reconciler.serve.protocols import ServeReader


@dataclass(frozen=True, slots=True)
class Means:
    """Eyes, a voice, time, and an ear for a request to stop."""

    reader: ServeReader
    smoke: SmokeTest
    emit: Callable[[Event], None]
    clock: Clock
    stop: StopSignal

"""Stopping on request: the command line's signal handler sets it, the executor looks at it between two steps."""

from dataclasses import dataclass


@dataclass(slots=True)
class StopSignal:
    """Once `requested`, apply begins nothing new, sends nothing more and leaves what is in flight to Ray."""

    requested: bool = False

    def request(self) -> None:
        """Ask apply to stop at the next safe point. Safe to call from a signal handler, and more than once."""
        self.requested = True

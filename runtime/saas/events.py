"""An event stream on its way through: every line as it is, but for the model's name and a count that only we wanted."""

import json
from collections.abc import Mapping
from typing import Any

from runtime.saas.renaming import answer_for

_LONGEST_LINE = 16 * 1024 * 1024


class EventStream:
    """One stream. A line is passed on as soon as its end is there."""

    def __init__(self, model: str, *, hide_usage: bool) -> None:
        """`model` is the name that the client knows; `hide_usage` leaves out the event that only counts tokens."""
        self._model = model
        self._hide_usage = hide_usage
        self._rest = b""
        self._skips_blank = False
        self.usage: Mapping[str, Any] | None = None
        """What the service says that the answer took."""
        self._begun = self._finished = False
        self.characters = 0
        """Characters of what was generated, for a service that does not count."""

    @property
    def half(self) -> bool:
        """Whether an answer has begun of which the service has not said that this is all."""
        return self._begun and not self._finished

    def feed(self, chunk: bytes) -> bytes:
        """What can be passed on now.

        Raises:
            ValueError: this is no event stream.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise ValueError("a line without an end")
        return b"".join([self._line(line) for line in lines])

    def close(self) -> bytes:
        """What is left, which has no line's end."""
        rest, self._rest = self._rest, b""
        return self._line(rest) if rest else b""

    def _line(self, line: bytes) -> bytes:
        if self._skips_blank and not line.strip():
            self._skips_blank = False
            return b""
        self._skips_blank = False
        name, colon, value = line.partition(b":")
        if not colon and line.strip():
            raise ValueError("a line that is no field of an event")
        value = value.strip()
        if name != b"data" or not value:
            return line + b"\n"
        if value == b"[DONE]":
            self._finished = True
            return line + b"\n"
        try:
            event = json.loads(value)
        except RecursionError as error:
            raise ValueError("an event that is nested too deeply") from error
        if not isinstance(event, dict):
            raise ValueError("an event that is no object")
        self._look(event)
        if self._hide_usage and event.get("usage") and not any(map(_says_something, event.get("choices") or ())):
            self._skips_blank = True
            return b""
        return line.replace(value, answer_for(value, event, self._model)) + b"\n"

    def _look(self, event: Mapping[str, Any]) -> None:
        usage = event.get("usage")
        if isinstance(usage, dict):
            self.usage = usage
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._begun = True
                self._finished = self._finished or choice.get("finish_reason") is not None
                self.characters += len(str(choice.get("text") or (choice.get("delta") or {}).get("content") or ""))


def _says_something(choice: Any) -> bool:
    return isinstance(choice, dict) and bool(choice.get("delta") or choice.get("text") or choice.get("finish_reason"))

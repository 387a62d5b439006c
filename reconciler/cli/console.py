"""Where output goes: data to stdout, everything else to stderr; colour only on a terminal that wants it."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TextIO

from reconciler.views.style import Style


class Console:
    """The three standard streams and what they can do."""

    def __init__(self, variables: Mapping[str, str], stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._stderr = stderr
        plain = bool(variables.get("NO_COLOR")) or variables.get("TERM") == "dumb"
        self.out_style = Style(stdout.isatty() and not plain)
        self.note_style = Style(stderr.isatty() and not plain)
        self.can_ask = stdin.isatty() and stderr.isatty()
        """Whether a person is there who can answer a question."""
        self.can_redraw = stderr.isatty() and variables.get("TERM") != "dumb"
        """Whether lines on stderr may be drawn again."""
        self.is_read_by_person = stdout.isatty()
        """Whether stdout is a terminal."""
        self.can_redraw_out = stdout.isatty() and variables.get("TERM") != "dumb"
        """Whether lines on stdout may be drawn again."""

    def out(self, text: str) -> None:
        """Data, complete with its line end."""
        self._write(self._stdout, text)

    def note(self, text: str) -> None:
        """A line for people."""
        self._write(self._stderr, text + "\n")

    def note_part(self, text: str) -> None:
        """A part of a line for people."""
        self._write(self._stderr, text)

    def error(self, message: str, hint: str | None = None) -> None:
        """What went wrong, and what to do."""
        self.note(f"{self.note_style.red('error')}: {message}" + (f"\n\nhint: {hint}" if hint else ""))

    def read(self) -> str:
        """All of stdin."""
        return self._stdin.read()

    def line(self, prompt: str) -> str | None:
        """The next line of stdin without its end, None after the last one. The prompt is shown to a person only, who
        can edit the line and go back to earlier ones."""
        if self._stdin is sys.stdin and self.can_ask and self.is_read_by_person:
            # What `input` edits lines with. Not at the top: few commands read lines.
            with suppress(ImportError):
                import readline  # noqa: F401
            try:
                return input(prompt)
            except EOFError:
                return None
        if self.can_ask:
            self._write(self._stderr, prompt)
        line = self._stdin.readline()
        return line.rstrip("\n") if line else None

    def reader_left(self) -> None:
        """Nobody reads stdout any more. Python would complain once more when it flushes it at exit."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stdout.fileno())

    def ask(self, question: str) -> bool:
        """A yes or no from the person at the terminal; no unless they say yes."""
        self._write(self._stderr, f"{question} [y/N] ")
        return self._stdin.readline().strip().lower() in ("y", "yes")

    @staticmethod
    def _write(stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            # A terminal or pipe that is not UTF-8: better a question mark than a traceback.
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()

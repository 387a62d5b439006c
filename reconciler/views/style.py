"""Colour for text that must read as well without it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """Marks up text with ANSI codes, or leaves it alone. Only adds what the words already say."""

    colour: bool = False

    def bold(self, text: str) -> str:
        """For names and headings."""
        return self._marked("1", text)

    def dim(self, text: str) -> str:
        """For what may be skipped."""
        return self._marked("2", text)

    def red(self, text: str) -> str:
        """For what failed or goes away."""
        return self._marked("31", text)

    def green(self, text: str) -> str:
        """For what is new or went well."""
        return self._marked("32", text)

    def yellow(self, text: str) -> str:
        """For what changes or deserves a look."""
        return self._marked("33", text)

    def _marked(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour and text else text


PLAIN = Style()
"""No colour at all."""

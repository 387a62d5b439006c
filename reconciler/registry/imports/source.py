"""A file to import from, and finding the files that it names."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path as shown to people, and what it holds."""

    file: str
    content: bytes


Find = Callable[[str, str], tuple[Source, ...]]
"""The files behind a path that the file named second holds: one, those of a folder, or none where there is nothing."""

"""What is worked out when somebody asks for it."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TypeVar

Value = TypeVar("Value", covariant=True)


class Later(Mapping[str, Value]):
    """A mapping that is made when somebody looks into it, once. What makes it must not change meanwhile."""

    def __init__(self, make: Callable[[], Mapping[str, Value]]) -> None:
        self._make = cache(make)

    def __getitem__(self, key: str) -> Value:
        return self._make()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._make())

    def __len__(self) -> int:
        return len(self._make())

    def __repr__(self) -> str:
        return repr(self._make())

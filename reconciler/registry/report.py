"""What one file of the registry had to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from reconciler.diagnostics import Diagnostic
from reconciler.registry.folder import SourceFile
from reconciler.registry.outline import ClusterOutline, ModelOutline

Outline = TypeVar("Outline", ModelOutline, ClusterOutline)


@dataclass(frozen=True, slots=True)
class Report(Generic[Outline]):
    """The problems of one file, and its outline, or None where the file is refused."""

    outline: Outline | None
    diagnostics: tuple[Diagnostic, ...]
    checkpoint: str | None = None
    """The folder outside the registry that was looked into."""


class Reader(Protocol):
    """Looks into files. One reader sees all files of a registry, the policies first."""

    def policies(self, sources: Sequence[tuple[SourceFile, bytes]]) -> tuple[Diagnostic, ...]:
        """Take in the policies that hold for the models; what is wrong with them."""
        ...

    def model(self, file: SourceFile, content: bytes) -> Report[ModelOutline]:
        """Read and check one model file."""
        ...

    def cluster(self, file: SourceFile, content: bytes) -> Report[ClusterOutline]:
        """Read and check one cluster file."""
        ...

"""Which code the applications run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuntimePackages:
    """URIs of the code that the applications run, or None where the cluster's image has it installed."""

    engine: str | None
    gateway: str | None
    llama_cpp: str | None = None
    saas: str | None = None

    def uri(self, kind: str) -> str | None:
        """The URI of one kind."""
        found: str | None = getattr(self, kind)
        return found

"""What was applied to a cluster, as the cluster remembers it and git explains it: the value that the views show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.registry.commits import RegistryCommit
from reconciler.state.provenance import Record


@dataclass(frozen=True, slots=True)
class Applied:
    """The applies of one cluster, newest first, and what git adds."""

    cluster: str
    owner: str
    records: Sequence[Record]
    subjects: Mapping[str, str]
    """The subject by commit, of those that this clone has."""
    now: int | None
    """The number of the newest record that left what stands on the cluster now; None when none did."""
    since: Sequence[RegistryCommit] | None
    """The commits after the last applied one that changed the registry, newest first; None where git cannot say."""
    more_since: bool
    """Whether there are more of them than shown."""
    trouble: str | None
    """Why git cannot say, or how to fetch commits that this clone does not have."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """The commits that were applied and that this clone does not have."""
        commits = dict.fromkeys(record.commit for record in self.records if record.commit)
        return tuple(commit for commit in commits if commit not in self.subjects)

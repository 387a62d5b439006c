"""The wiring that the commands share: registry, cluster, connection, desired and live state, plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.environment import Connection, Environment
from reconciler.cli.failure import Failure
from reconciler.cli.source_lines import source_lines
from reconciler.diagnostics import has_errors
from reconciler.plan.build import build_plan, source_digest
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan, Source
from reconciler.registry.loader import load
from reconciler.registry.registry import ClusterEntry, Registry
from reconciler.registry.revision import revision
from reconciler.serve.packages import Package, resolve_packages
from reconciler.state.desired import DesiredState, RuntimePackages, desired_state
from reconciler.state.live import LiveState, UnknownState
from reconciler.views.diagnostics_text import diagnostics_text, summary_line


@dataclass(frozen=True, slots=True)
class Target:
    """What the registry calls for on one cluster; nothing was asked of the cluster yet."""

    root: Path
    registry: Registry
    entry: ClusterEntry
    desired: DesiredState
    uris: RuntimePackages
    packages: tuple[Package, ...]
    """Code that the applications need and that is uploaded before the first PUT."""

    def source(self) -> Source:
        """Where the desired state comes from; reads git."""
        found = revision(self.root)
        digest = source_digest(self.registry, self.entry, self.uris)
        return Source(found.commit, found.tree, found.dirty, digest)


@dataclass(frozen=True, slots=True)
class Session:
    """A target and an open connection to its cluster."""

    target: Target
    connection: Connection

    def live(self) -> LiveState:
        """What the cluster reports now. Raises Failure when it must not be believed."""
        live = self.connection.client.live_state()
        if isinstance(live, UnknownState):
            raise Failure(live.reason, live.hint)
        return live

    def plan(self, live: LiveState, options: PlanOptions) -> Plan:
        """What would be done to a cluster in that state."""
        target = self.target
        return build_plan(
            target.desired, live, address=self.connection.address, source=target.source(), options=options
        )


def load_registry(root: Path, console: Console) -> Registry:
    """The registry. Problems are shown on stderr; raises Failure when one of them is an error."""
    loaded = load(root)
    if loaded.diagnostics:
        text = diagnostics_text(loaded.diagnostics, source_lines(loaded.diagnostics), console.note_style)
        console.note(text + "\n" + summary_line(loaded.diagnostics, None, None))
    if loaded.registry is None or has_errors(loaded.diagnostics):
        raise Failure
    return loaded.registry


def choose_cluster(registry: Registry, name: str | None) -> ClusterEntry:
    """The cluster of that name, or the default one. Raises Failure that names what there is."""
    names = [entry.name for entry in registry.clusters]
    if name is not None:
        found = registry.cluster(name)
        if found is None:
            near = get_close_matches(name, names, n=1)
            known = f"did you mean `{near[0]}`?" if near else f"the clusters are {_quoted(names)}"
            raise Failure(f"no cluster `{name}` in the registry", known if names else None)
        return found
    default = registry.default_cluster()
    if default is None:
        hint = f"name one with `--cluster`: {_quoted(names)}" if names else "write a file `clusters/<name>.yaml`"
        raise Failure("the registry has no default cluster", hint)
    return default


def open_target(environment: Environment, root: Path, cluster_name: str | None) -> Target:
    """Load the registry and compile what it calls for on the chosen cluster."""
    registry = load_registry(root, environment.console)
    entry = choose_cluster(registry, cluster_name)
    uris, packages = resolve_packages(entry.cluster)
    return Target(root, registry, entry, desired_state(registry, entry, uris), uris, packages)


@contextmanager
def open_session(environment: Environment, root: Path, cluster_name: str | None) -> Iterator[Session]:
    """A target with a connection to its cluster."""
    target = open_target(environment, root, cluster_name)
    with environment.connect(target.entry, environment.variables, environment.local_directory) as connection:
        yield Session(target, connection)


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

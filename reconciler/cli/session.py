"""The wiring that the commands share: registry, cluster, connection, desired and live state, plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from difflib import get_close_matches
from pathlib import Path

from reconciler.cli.environment import Connection, Environment
from reconciler.cli.failure import Failure
from reconciler.diagnostics import has_errors
from reconciler.plan.build import build_plan, source_digest
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan, Source
from reconciler.plan.selection import Selection, narrowed, select
from reconciler.plan.usage import deletes
from reconciler.registry.loader import load
from reconciler.registry.registry import ClusterEntry, Registry
from reconciler.registry.result_cache import ResultCache, cache_file
from reconciler.registry.revision import Revision, revision
from reconciler.serve.packages import Package, resolve_packages
from reconciler.state.compiled import Compiled
from reconciler.state.desired import DesiredState, desired_state
from reconciler.state.live import LiveState, UnknownState
from reconciler.state.runtime_packages import RuntimePackages


@dataclass(frozen=True, slots=True)
class Target:
    """What the registry calls for on one cluster; nothing was asked of the cluster yet."""

    root: Path
    registry: Registry
    entry: ClusterEntry
    desired: DesiredState
    uris: RuntimePackages
    packages: tuple[Package, ...]
    """Code that the applications may need; what they need of it is uploaded before the first PUT."""
    past: Revision | None = None
    """The revision it was read from, where that is not the one checked out."""

    def source(self, selection: Selection | None = None) -> Source:
        """Where the desired state, or what a selection leaves of it, comes from; reads git."""
        found = self.past or revision(self.root)
        digest = source_digest(self.registry, self.entry, self.uris, selection)
        return Source(found.commit, found.tree, found.dirty, digest)


@dataclass(frozen=True, slots=True)
class Session:
    """A target and an open connection to its cluster."""

    target: Target
    connection: Connection

    def live(self) -> LiveState:
        """What the cluster reports now. Raises Failure when it must not be believed."""
        return believable(self.connection)

    def plan(self, live: LiveState, options: PlanOptions) -> Plan:
        """What would be done to a cluster in that state."""
        target = self.target
        source = target.source(select(options.models, target.desired, live))
        asks = not options.allow_delete and deletes(target.desired, live)
        return build_plan(
            target.desired,
            live,
            address=self.connection.address,
            source=source,
            options=options,
            usage=self.connection.traffic() if asks else None,
        )

    def about(self, live: LiveState, options: PlanOptions) -> DesiredState:
        """What the registry calls for, as far as a plan with these options is about it."""
        desired = self.target.desired
        selection = select(options.models, desired, live)
        return desired if selection is None else narrowed(desired, live, selection)


def believable(connection: Connection) -> LiveState:
    """What the cluster reports now. Raises Failure when it must not be believed."""
    live = connection.client.live_state()
    if isinstance(live, UnknownState):
        raise Failure(live.reason, live.hint)
    return live


def load_registry(root: Path, environment: Environment) -> Registry:
    """The registry. Problems are shown on stderr; raises Failure when one of them is an error."""
    loaded = load(root, cache_directory=environment.cache_directory)
    console = environment.console
    if loaded.diagnostics:
        # Not at the top: a registry without problems does not pay for saying them.
        from reconciler.cli.source_lines import source_lines
        from reconciler.views.diagnostics_text import diagnostics_text, summary_line

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
    registry = load_registry(root, environment)
    entry = choose_cluster(registry, cluster_name)
    uris, packages = resolve_packages(entry.cluster)
    memory = ResultCache(cache_file(environment.cache_directory, root, f"-{entry.name}"), Compiled)
    memory.open("\0".join([entry.cluster.owner, *map(str, astuple(uris))]).encode())
    desired = desired_state(registry, entry, uris, memory)
    memory.save()
    return Target(root, registry, entry, desired, uris, packages)


@contextmanager
def open_session(environment: Environment, root: Path, cluster_name: str | None) -> Iterator[Session]:
    """A target with a connection to its cluster."""
    target = open_target(environment, root, cluster_name)
    with environment.connect(target.entry, environment.variables, environment.local_directory) as connection:
        yield Session(target, connection)


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

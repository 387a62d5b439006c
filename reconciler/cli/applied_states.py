"""The applies that a cluster remembers, compiled again from git."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler import __version__
from reconciler.cli.session import Target
from reconciler.drift.applied import Applied
from reconciler.registry.past import load_past
from reconciler.registry.past_cluster import as_it_was
from reconciler.registry.repository import GitTrouble, RegistryRepository, open_repository
from reconciler.serve.packages import KINDS, resolve_packages
from reconciler.state.desired import DesiredState, desired_state
from reconciler.state.live import LiveApplication, LiveState
from reconciler.state.names import GATEWAY_APPLICATION, application_name, import_path
from reconciler.state.provenance import Record, history
from reconciler.state.runtime_packages import RuntimePackages

MOST = 5
"""So many commits are looked at; what is older than that is not what anybody remembers either."""


def applied_states(target: Target, live: LiveState) -> tuple[Applied, ...]:
    """The applies of the registry on its cluster, newest first, as far as git can compile them again.

    Ends before the first apply of files that no commit holds: what stood in them is not known, nor then what an older
    apply left untouched. Nothing at all where the registry is in no git repository.
    """
    records = history(live, target.entry.cluster.owner)
    if not records:
        return ()
    try:
        with open_repository(target.root) as repository:
            return tuple(_compiled(repository, records, target, live))
    except GitTrouble:
        return ()


def _compiled(
    repository: RegistryRepository, records: tuple[Record, ...], target: Target, live: LiveState
) -> Iterator[Applied]:
    known: dict[str, DesiredState | None] = {}
    for record in records:
        if record.dirty or record.commit is None or record.models.more or len(known) == MOST:
            return
        if record.commit not in known:
            known[record.commit] = _desired(repository, record, target, live)
        desired = known[record.commit]
        if desired is None:
            return
        chosen = frozenset(application_name(name) for name in record.models.names)
        yield Applied(record.commit, record.time, desired, chosen | {GATEWAY_APPLICATION} if chosen else None)


def _desired(repository: RegistryRepository, record: Record, target: Target, live: LiveState) -> DesiredState | None:
    """What that commit's registry calls for; None where git does not have it or today's rules refuse it."""
    try:
        registry = load_past(repository, repository.commit(str(record.commit))).loaded.registry
    except GitTrouble:
        return None
    then = registry.cluster(target.entry.name) if registry else None
    if registry is None or then is None:
        return None
    entry = as_it_was(target.entry, then)
    clusters = tuple(entry if one.name == entry.name else one for one in registry.clusters)
    return desired_state(replace(registry, clusters=clusters), entry, _packages(record, target, live))


def _packages(record: Record, target: Target, live: LiveState) -> RuntimePackages:
    """The code that apply sent: another version of reconcile had other code, which only the cluster still knows."""
    uris, _ = resolve_packages(target.entry.cluster)
    if record.version == __version__:
        return uris
    ours = {entry.name for entry in target.desired.applications}
    there = dict(found for entry in live.applications if entry.name in ours and (found := _package(entry)))
    return RuntimePackages(**{kind: there.get(import_path(kind)) or uris.uri(kind) for kind in KINDS})


def _package(live: LiveApplication) -> tuple[str, str] | None:
    """What an application imports, and the package that it is in."""
    config = live.application.config if live.application else {}
    environment = config.get("runtime_env")
    modules = environment.get("py_modules") if isinstance(environment, dict) else None
    package = modules[0] if isinstance(modules, list) and modules else None
    return (str(config.get("import_path")), package) if isinstance(package, str) else None

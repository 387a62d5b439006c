"""Which applications of a plan a pull request touches."""

from pathlib import Path

from reconciler.plan.plan import ActionKind, Plan
from reconciler.registry.folder import CLUSTERS_FOLDER
from reconciler.registry.loader import load
from reconciler.registry.past import load_past
from reconciler.registry.registry import Registry
from reconciler.registry.repository import open_repository
from reconciler.registry.touched import fork_point, touched_files
from reconciler.state.names import GATEWAY_APPLICATION, application_name


def touched_applications(root: Path, base: str, plan: Plan) -> frozenset[str] | None:
    """Names of the applications whose files differ from where the branch left `base`; None, for all of them, when the
    cluster's own file does. Raises `GitTrouble`.

    A deleted file tells its model by what it was at that point; where that registry cannot be read any more, every
    delete counts as the pull request's, rather than hide one.
    """
    with open_repository(root) as repository:
        since = fork_point(repository, base)
        files = touched_files(repository, since)
        if any(file.startswith(f"{CLUSTERS_FOLDER}/{plan.cluster}.") for file in files):
            return None
        if not files:
            return frozenset()
        past = load_past(repository, since).loaded.registry
    now = load(root).registry
    names = {name for registry in (past, now) if registry for name in _names(registry, files)}
    if past is None:
        names |= {action.name for action in plan.actions if action.kind is ActionKind.DELETE}
    # Every model has its entry in the gateway's table.
    return frozenset({*names, GATEWAY_APPLICATION} if names else names)


def _names(registry: Registry, files: frozenset[str]) -> set[str]:
    return {application_name(entry.model_id) for entry in registry.models if Path(entry.file).name in files}

"""What `reconcile import live` asks of the cluster."""

from pathlib import Path

from reconciler.cli.environment import Environment
from reconciler.cli.session import open_session
from reconciler.registry.imports.live import LiveImport, Running, import_live
from reconciler.serve.packages import KINDS
from reconciler.state.live import ApplicationStatus, LiveApplication
from reconciler.state.names import import_path

_ENGINES = frozenset(map(import_path, KINDS)) - {import_path("gateway")}
"""What runs models."""


def read_cluster(environment: Environment, root: Path, cluster_name: str | None) -> LiveImport:
    """The models that run on a cluster of the registry. One that Ray is deleting counts as gone."""
    with open_session(environment, root, cluster_name) as session:
        entry, registry = session.target.entry, session.target.registry
        default = registry.default_cluster()
        running = [
            _running(application)
            for application in session.live().applications
            if application.status is not ApplicationStatus.DELETING
        ]
    return import_live(
        entry.name,
        entry.cluster.owner,
        running,
        [model.model_id for model in registry.models],
        () if default is not None and default.name == entry.name else (entry.name,),
    )


def _running(live: LiveApplication) -> Running:
    application = live.application if live.declarative else None
    config = application.config if application else None
    is_engine = config is not None and config.get("import_path") in _ENGINES
    return Running(live.name, config, application.owner if application else None, is_engine)

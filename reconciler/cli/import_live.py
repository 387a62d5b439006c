"""What `reconcile import live` asks of the cluster."""

from pathlib import Path

from reconciler.cli.environment import Environment
from reconciler.cli.session import open_session
from reconciler.registry.imports.live import LiveImport, Running, import_live
from reconciler.state.desired import ENGINE_IMPORT_PATH
from reconciler.state.live import ApplicationStatus, LiveApplication


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
        [model.spec.model_id for model in registry.models],
        () if default is not None and default.name == entry.name else (entry.name,),
    )


def _running(live: LiveApplication) -> Running:
    application = live.application if live.declarative else None
    config = application.config if application else None
    is_engine = config is not None and config.get("import_path") == ENGINE_IMPORT_PATH
    return Running(live.name, config, application.owner if application else None, is_engine)

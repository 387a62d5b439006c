"""What the replicas of a failed version wrote, while it is still there."""

from itertools import islice

from reconciler.apply.watch import Watch
from reconciler.serve.errors import ServeError
from reconciler.serve.protocols import ServeReader
from reconciler.state.live import LiveApplication, Replica

LOG_LINES = 400
_REPLICAS = 3
"""The newest few are enough: they fail for the same reason."""


def new_logs(watched: Watch, live: LiveApplication | None, reader: ServeReader) -> str:
    """The ends of the logs of the newest replicas that were not there before; what cannot be read is left out."""
    return "\n".join(filter(None, (_log(replica, reader) for replica in islice(_newest(watched, live), _REPLICAS))))


def _newest(watched: Watch, live: LiveApplication | None) -> list[Replica]:
    found = [
        replica
        for deployment in (live.deployments if live else ())
        for replica in (*deployment.replicas, *reversed(deployment.recent_dead))
    ]
    return [replica for replica in found if replica.replica_id not in watched.known and replica.log_file_path]


def _log(replica: Replica, reader: ServeReader) -> str:
    try:
        return reader.replica_log(replica.log_file_path or "", replica.node_id, LOG_LINES)
    except ServeError:
        return ""

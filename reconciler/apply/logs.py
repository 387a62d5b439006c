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
    return [replica for replica in found if replica.replica_id not in watched.known]


def _log(replica: Replica, reader: ServeReader) -> str:
    """Its log, then what it and its engine process wrote to their outputs, where the root cause often stands."""
    try:
        log = reader.replica_log(replica.log_file_path, replica.node_id, LOG_LINES) if replica.log_file_path else ""
        output = reader.actor_output(replica.actor_id, LOG_LINES) if replica.actor_id else ""
    except ServeError:
        return ""
    return f"{log}\n{output}".strip()

"""What the Ray dashboard answers, turned into `LiveState`. Pure: no network here.

The shape is that of `ServeInstanceDetails` and its parts in `ray/serve/schema.py` (2.60).
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from reconciler.serve.answer import HINT, field, mapping, rows
from reconciler.serve.details import REDACTED, ClearDetails
from reconciler.serve.errors import BadAnswer
from reconciler.serve.nodes import read_lost, read_nodes, use_told_s
from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue, same
from reconciler.state.live import (
    ApplicationStatus,
    LiveApplication,
    LiveDeployment,
    LiveState,
    Replica,
    UnknownState,
)

REPLICA_ACTOR_PREFIX = "SERVE_REPLICA::"
"""How the name of every replica's actor starts (`ray.serve._private.common.ReplicaID`)."""

_HTTP_SECRETS = frozenset({"ssl_keyfile_password"})
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def trusted_state(
    details: JsonValue, version: JsonValue, nodes: JsonValue, status: JsonValue, replicas: tuple[str, ...]
) -> LiveState | UnknownState:
    """As `live_state`, but what must not be believed is `UnknownState`: a redacted answer, one that is not what 2.60
    sends, or an empty list of applications while `replicas` (names of replica actors) live."""
    if is_redacted(details):
        return UnknownState(
            "the Ray dashboard hides environment values (`<redacted>`), so its answer cannot be written back",
            "something on the way to the dashboard makes requests look like a browser's: reach it without that proxy",
        )
    try:
        state = live_state(details, version, nodes, status, replicas)
    except BadAnswer as error:
        return UnknownState(error.message, error.hint or "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return UnknownState(f"the dashboard's answer has a value of the wrong kind ({error})", HINT)
    if not state.applications and replicas:
        return UnknownState(
            f"Ray Serve lists no application, but {len(replicas)} of its replicas live (such as `{replicas[0]}`)",
            "its controller is gone or cannot read what it stored: `reconcile repair` says why, and brings it back",
            is_lost=True,
        )
    return state


def live_state(
    details: JsonValue, version: JsonValue, nodes: JsonValue, status: JsonValue, replicas: tuple[str, ...] = ()
) -> LiveState:
    """The answers of `/api/serve/applications/`, `/api/ray/version`, `/api/v0/nodes` and `/api/cluster_status` as one
    value. `replicas` are names of replica actors, for the applications whose replicas Ray does not list
    (`hides_replicas`). Raises `BadAnswer` where the answers lack what 2.60 always sends."""
    applications = tuple(
        _application(name, entry, replicas) for name, entry in sorted(mapping(details, "applications", "Serve").items())
    )
    return LiveState(
        ray_version=str(field(version, "ray_version", "version")),
        applications=applications,
        nodes=read_nodes(nodes, status),
        options=_options(details),
        global_logging_config=_global_logging_config(applications),
        lost=read_lost(nodes),
        use_told_s=use_told_s(status),
    )


def hides_replicas(details: JsonValue) -> bool:
    """Whether an application of the answer may have replicas that it does not list: one whose new config could not be
    built, while replicas of the one before go on serving."""
    entries = details.get("applications") if isinstance(details, Mapping) else None
    return isinstance(entries, Mapping) and any(map(_is_unbuilt, entries.values()))


def _is_unbuilt(entry: JsonValue) -> bool:
    return isinstance(entry, Mapping) and entry.get("status") == "DEPLOY_FAILED" and not entry.get("deployments")


def is_redacted(value: JsonValue) -> bool:
    """Whether any value in a document was blacked out by the dashboard."""
    if isinstance(value, ClearDetails):
        return False
    if isinstance(value, Mapping):
        return any(is_redacted(item) for item in value.values())
    if isinstance(value, list):
        return any(is_redacted(item) for item in value)
    return bool(value == REDACTED)


def replicas_alive(actors: JsonValue) -> tuple[str, ...]:
    """Names of the Serve replica actors that live, from the answer of `/api/v0/actors`. Raises `BadAnswer`."""
    names = (
        str(actor.get("name") or "") for actor in rows(actors, "actors") if actor.get("state") not in ("DEAD", None)
    )
    return tuple(sorted(name for name in names if name.startswith(REPLICA_ACTOR_PREFIX)))


def _application(name: str, entry: JsonValue, replicas: tuple[str, ...]) -> LiveApplication:
    where = f"application `{name}`"
    try:
        status = ApplicationStatus(field(entry, "status", where))
    except ValueError:
        raise BadAnswer(f"{where} has the unknown status `{entry['status']}`", HINT) from None
    deployments = mapping(entry, "deployments", where)
    application = _submitted(entry.get("deployed_app_config"))
    return LiveApplication(
        name=name,
        status=status,
        message=_message(entry, application),
        application=application,
        deployments=tuple(_deployment(key, deployments[key], application) for key in sorted(deployments)),
        declarative=entry.get("source", "declarative") == "declarative",
        last_deployed_s=float(entry.get("last_deployed_time_s") or 0.0),
        route_prefix=entry.get("route_prefix"),
        unlisted=_replica_ids(name, replicas) if _is_unbuilt(entry) else (),
    )


def _submitted(config: JsonValue) -> Application | None:
    if isinstance(config, msgspec.Raw):
        return Application.submitted(bytes(config))
    return Application(config) if isinstance(config, Mapping) and "name" in config else None


def _replica_ids(application: str, names: Iterable[str]) -> tuple[str, ...]:
    """The ids of one application's replicas, from actor names `SERVE_REPLICA::<application>#<deployment>#<id>`."""
    return tuple(name.rpartition("#")[2] for name in names if name.startswith(f"{REPLICA_ACTOR_PREFIX}{application}#"))


def _deployment(name: str, entry: JsonValue, application: Application | None) -> LiveDeployment:
    where = f"deployment `{name}`"
    return LiveDeployment(
        name=name,
        status=str(field(entry, "status", where)),
        message=_message(entry, application),
        target_num_replicas=int(field(entry, "target_num_replicas", where)),
        replicas=_replicas(field(entry, "replicas", where), where),
        options=mapping(entry, "deployment_config", where),
        recent_dead=_replicas(entry.get("recent_dead_replicas") or [], where),
    )


def _replicas(entries: JsonValue, where: str) -> tuple[Replica, ...]:
    return tuple(
        Replica(
            replica_id=str(field(entry, "replica_id", where)),
            state=str(field(entry, "state", where)),
            node_id=entry.get("node_id"),
            log_file_path=entry.get("log_file_path"),
            actor_id=entry.get("actor_id"),
            started_s=float(entry["start_time_s"]) if entry.get("start_time_s") else None,
        )
        for entry in entries
    )


def _options(details: JsonValue) -> dict[str, JsonValue]:
    """The cluster-wide settings a PUT has to repeat.

    `target_capacity` falls back to none when a PUT does not repeat it. A running Serve ignores the HTTP, gRPC and proxy
    settings, but a PUT that finds Serve dead starts it anew with them, so they are repeated as they are. The password
    of a key file is left out: it has no business in a plan. A global `logging_config` is not reported and stays as it
    is when a PUT leaves it out (`ServeController.apply_config`).
    """
    options: dict[str, JsonValue] = {}
    for key in ("proxy_location", "target_capacity"):
        if details.get(key) is not None:
            options[key] = details[key]
    for key in ("http_options", "grpc_options"):
        settings = details.get(key)
        if isinstance(settings, Mapping):
            options[key] = {
                name: value for name, value in settings.items() if value is not None and name not in _HTTP_SECRETS
            }
    return options


def _global_logging_config(applications: Sequence[LiveApplication]) -> JsonValue:
    """The global `logging_config`, as far as it shows: the one that Ray copied into every application."""
    submitted = [live.application for live in applications if live.application]
    first = submitted[0].config.get("logging_config") if submitted else None
    if first is not None and all(same(first, one.config.get("logging_config")) for one in submitted):
        return first
    return None


def told(text: str, document: JsonValue) -> str:
    """A text of Ray's about a config or a document as it may be shown: Ray quotes what it refuses."""
    # Not at the top: most runs are told nothing.
    from reconciler.registry.mask import mask, without_values
    from reconciler.state.env_values import env_values

    return mask(without_values(text, env_values(document)))


def _message(entry: Mapping[str, JsonValue], application: Application | None) -> str:
    text = plain(entry.get("message"))
    if not text:
        return ""
    config = application.config if application is not None else {}
    return "\n".join(told(line, config) for line in text.split("\n"))


def plain(text: JsonValue) -> str:
    """The text without the colours that Ray puts into its messages."""
    return _ANSI.sub("", str(text or ""))

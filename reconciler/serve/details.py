"""The answer of `GET /api/serve/applications/`, as far as it is used.

It has 5 KB for each application. What nobody asks for is not kept, and configs stay text until somebody does.
"""

from typing import Any, TypedDict

import msgspec

from reconciler.state.json_value import JsonValue, parse_json

REDACTED = "<redacted>"
"""What the dashboard shows instead of environment values to a client that looks like a browser
(`ray/dashboard/runtime_env_redaction.py`)."""


class ClearDetails(dict[str, JsonValue]):
    """An answer in which nothing is blacked out."""


class _Replica(TypedDict, total=False):
    replica_id: Any
    state: Any
    node_id: Any
    log_file_path: Any
    actor_id: Any
    start_time_s: Any


class _Deployment(TypedDict, total=False):
    status: Any
    message: Any
    target_num_replicas: Any
    replicas: list[_Replica]
    deployment_config: Any
    recent_dead_replicas: list[_Replica] | None


class _Application(TypedDict, total=False):
    status: Any
    message: Any
    deployed_app_config: msgspec.Raw
    source: Any
    deployments: dict[str, _Deployment]
    last_deployed_time_s: Any
    route_prefix: Any


class _Details(TypedDict, total=False):
    applications: dict[str, _Application]
    proxies: Any
    proxy_location: Any
    http_options: Any
    grpc_options: Any
    target_capacity: Any


_DECODER = msgspec.json.Decoder(_Details)


def read_details(text: bytes) -> JsonValue:
    """The answer as a value in which each `deployed_app_config` is a `msgspec.Raw`; as it is where it has another
    shape or something is blacked out, for whoever says so. Raises ValueError when it is no JSON."""
    # Half of the marker, so that no way of writing its brackets hides it.
    if b"redacted" in text:
        return parse_json(text)
    try:
        return ClearDetails(_DECODER.decode(text))
    except msgspec.DecodeError:
        return parse_json(text)

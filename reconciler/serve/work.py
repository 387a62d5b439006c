"""Asking a gateway what the replicas behind it have to do and what they run (`runtime.gateway.work`)."""

from collections.abc import Mapping
from typing import Any

from reconciler.registry.mask import mask
from reconciler.serve.gateway_reports import GatewaySilent, ask_gateway
from reconciler.serve.http_client import Sender
from reconciler.state.json_value import JsonValue
from reconciler.state.names import application_name
from reconciler.state.work import About, Adapter, ReplicaWork, UnknownWork, Weights, Work

PATH = "/reconciler/work"

_NAMELESS = "#"
"""Begins what stands for the id of a replica that did not say it."""

TIMEOUT_S = 10.0
"""The gateway itself waits a few seconds for replicas that are slow to answer."""


def read_work(address: str, token: str | None = None, *, sender: Sender | None = None) -> Work | UnknownWork:
    """What the gateway at an address such as `http://llm.example` hears from all replicas, asked with the key `token`
    where it asks for one. Never raises: who cannot know it says so."""
    try:
        return ask_gateway(
            address, PATH, _read, token=token, lacking="ask the replicas", timeout_s=TIMEOUT_S, sender=sender
        )
    except GatewaySilent as silent:
        return UnknownWork(silent.reason)


def _read(document: JsonValue) -> Work:
    return Work({application_name(model_id): _replicas(said) for model_id, said in document["models"].items()})


def _replicas(said: Mapping[str, JsonValue] | None) -> tuple[ReplicaWork, ...] | UnknownWork:
    if said is None:
        return UnknownWork("its replicas did not answer")
    try:
        return tuple(_replica(replica_id, one) for replica_id, one in sorted(said.items()))
    except (AttributeError, KeyError, TypeError, ValueError):
        return UnknownWork("its replicas are of a version that does not count requests")


def _replica(replica_id: str, one: Mapping[str, Any]) -> ReplicaWork:
    return ReplicaWork(
        replica_id=None if replica_id.startswith(_NAMELESS) else replica_id,
        requests=int(one["requests"]),
        ongoing=int(one["ongoing"]),
        last_s=None if one["last_s"] is None else float(one["last_s"]),
        watched_s=float(one["watched_s"]),
        about=_about(one["about"]) if one.get("about") else None,
    )


def _about(about: Mapping[str, JsonValue]) -> About:
    weights = about.get("weights")
    return About(
        versions={str(name): value for name, value in sorted(about.items()) if isinstance(value, str)},
        weights=Weights(_text(weights.get("source")), _text(weights.get("revision"))) if weights else None,
        adapters={str(name): _adapter(one) for name, one in sorted((about.get("adapters") or {}).items())},
    )


def _adapter(one: Mapping[str, JsonValue]) -> Adapter:
    return Adapter(str(one["state"]), _text(one.get("revision")), mask(str(one.get("reason") or "")))


def _text(value: JsonValue) -> str | None:
    return None if value is None else str(value)

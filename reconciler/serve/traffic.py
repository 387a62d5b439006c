"""Asking a gateway who uses the models behind it (`runtime.gateway.traffic`)."""

from collections.abc import Mapping

from reconciler.serve.gateway_reports import GatewaySilent, ask_gateway
from reconciler.serve.http_client import Sender
from reconciler.state.json_value import JsonValue
from reconciler.state.traffic import ModelTraffic, Traffic, UnknownTraffic

PATH = "/reconciler/traffic"

TIMEOUT_S = 5.0
"""A plan does not wait long for an answer that it can do without."""


def read_traffic(address: str, token: str | None = None, *, sender: Sender | None = None) -> Traffic | UnknownTraffic:
    """The traffic that the gateway at an address such as `http://llm.example` has counted, asked with the key `token`
    where it asks for one. Never raises: a plan that cannot know it says so."""
    try:
        return ask_gateway(
            address, PATH, _read, token=token, lacking="count requests", timeout_s=TIMEOUT_S, sender=sender
        )
    except GatewaySilent as silent:
        return UnknownTraffic(silent.reason)


def _read(document: JsonValue) -> Traffic:
    models: Mapping[str, Mapping[str, float]] = document["models"]
    return Traffic(
        watched_s=float(document["watched_s"]),
        models={
            str(model_id): ModelTraffic(int(entry["requests"]), float(entry["last_s"]))
            for model_id, entry in models.items()
        },
        replicas=int(document["replicas"]),
    )

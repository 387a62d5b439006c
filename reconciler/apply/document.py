"""The body of `PUT /api/serve/applications/` as a value: taken apart, put together, compared with what is live.

The PUT is total, so every document lists everything that is to stay. Pure: nothing is read or sent here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.apply.errors import Differences
from reconciler.plan.plan import ActionKind, Wave
from reconciler.plan.routes import Routes, routes_of
from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue, same
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.names import GATEWAY_APPLICATION, GATEWAY_DEPLOYMENT

Config = Mapping[str, JsonValue]
"""One entry of `applications`."""


@dataclass(frozen=True, slots=True)
class Document:
    """Cluster-wide options and the config of every declarative application by name, in the order they are sent."""

    options: Mapping[str, JsonValue]
    configs: Mapping[str, Config]

    @classmethod
    def of_wave(cls, wave: Wave) -> "Document":
        """The document that a wave sends."""
        options = {key: value for key, value in wave.document.items() if key != "applications"}
        return cls(options, {config["name"]: config for config in wave.document["applications"]})

    @classmethod
    def before_wave(cls, wave: Wave) -> "Document":
        """What the planner saw before the wave: its document with each change taken back."""
        document = cls.of_wave(wave)
        for action in wave.actions:
            before = action.change.before
            created = action.kind is ActionKind.CREATE
            document = document.with_config(action.name, None if created or before is None else before.config)
        return document

    @classmethod
    def of_live(cls, live: LiveState) -> "Document":
        """What is live, exactly as it was submitted. What Ray is deleting has no config any more and is left out."""
        configs = {
            entry.name: entry.application.config
            for entry in live.applications
            if entry.declarative and entry.application is not None
        }
        return cls(live.options, configs)

    @property
    def body(self) -> dict[str, JsonValue]:
        """As the PUT sends it."""
        return {**self.options, "applications": [dict(config) for config in self.configs.values()]}

    def with_config(self, name: str, config: Config | None) -> "Document":
        """A copy with that application's config in its old place or at the end; without it for None."""
        if config is None:
            return replace(self, configs={key: value for key, value in self.configs.items() if key != name})
        return replace(self, configs={**self.configs, name: config})

    @property
    def routes(self) -> Routes:
        """The gateway's routing table by model id; empty without a gateway."""
        gateway = self.configs.get(GATEWAY_APPLICATION)
        return routes_of(Application(gateway) if gateway is not None else None)

    def without_route(self, model_id: str) -> "Document":
        """A copy whose gateway does not know the model."""
        if model_id not in self.routes:
            return self
        left = {key: route for key, route in self.routes.items() if key != model_id}
        return self.with_gateway_value("models", left)

    def with_gateway_value(self, key: str, value: JsonValue) -> "Document":
        """A copy with one key of the gateway's `user_config` set. The gateway must be there."""
        gateway = self.configs[GATEWAY_APPLICATION]
        deployments = [
            {**entry, "user_config": {**(entry.get("user_config") or {}), key: value}}
            if entry["name"] == GATEWAY_DEPLOYMENT
            else entry
            for entry in gateway.get("deployments") or ()
        ]
        return self.with_config(GATEWAY_APPLICATION, {**gateway, "deployments": deployments})


def differences(expected: Document, live: LiveState) -> Differences:
    """How the live applications differ from the expected ones, by name.

    Of the cluster-wide options only those that the document gives are compared, because Ray fills in the others. An
    application that Ray is deleting counts as gone already: it holds no config any more.
    """
    there = {
        entry.name: entry.application.config if entry.application else None
        for entry in live.applications
        if entry.declarative and entry.status is not ApplicationStatus.DELETING
    }
    return Differences(
        changed=tuple(
            sorted(
                name
                for name, config in expected.configs.items()
                if name in there and not same_config(config, there[name], live.global_logging_config)
            )
        ),
        appeared=tuple(sorted(there.keys() - expected.configs.keys())),
        vanished=tuple(sorted(expected.configs.keys() - there.keys())),
        options=tuple(sorted(key for key, value in expected.options.items() if not same(value, live.options.get(key)))),
    )


def same_config(expected: Config, live: Config | None, global_logging_config: JsonValue) -> bool:
    """Whether a live config is the expected one. A `logging_config` that Ray copied in from the cluster's own is no
    difference."""
    if live is None:
        return False
    if global_logging_config is not None and "logging_config" not in expected:
        copied = same(live.get("logging_config"), global_logging_config)
        live = {key: value for key, value in live.items() if key != "logging_config" or not copied}
    return same(dict(expected), dict(live))

"""A document for Ray Serve as it may be shown: what the registry says in full, all else without secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.plan.change import HIDDEN
from reconciler.registry.mask import mask
from reconciler.registry.secret import is_secret_name
from reconciler.state.desired import DesiredState
from reconciler.state.json_value import JsonValue, same

Json = Mapping[str, JsonValue]


@dataclass(slots=True)
class Sendable:
    """Documents for one desired state; `hidden` counts the values that are not shown."""

    desired: DesiredState
    hidden: int = field(default=0)

    def shown(self, document: Json) -> dict[str, JsonValue]:
        """The document with the same keys in the same order.

        The values of a model's own environment variables are those of its file: references, as a literal that looks
        like a secret is an error there.
        """
        return {
            key: [self._application(config) for config in value] if key == "applications" else self._masked(value)
            for key, value in document.items()
        }

    def _application(self, config: Json) -> JsonValue:
        wanted = self.desired.application(str(config["name"]))
        if wanted is not None and _same_but_rollout(wanted.application.config, config):
            return dict(config)
        return self._masked(dict(config))

    def _masked(self, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {key: self._value(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if isinstance(value, str):
            text = mask(value)
            self.hidden += text != value
            return text
        return value

    def _value(self, key: str, value: JsonValue) -> JsonValue:
        if key == "env_vars" and isinstance(value, dict):
            self.hidden += len(value)
            return dict.fromkeys(value, HIDDEN)
        if is_secret_name(key) and isinstance(value, str) and value:
            self.hidden += 1
            return HIDDEN
        return self._masked(value)


def _same_but_rollout(wanted: Json, sent: Json) -> bool:
    """Whether what is sent is what the registry says, wherever it may hold a value of a variable."""
    parts = ("import_path", "runtime_env", "args")
    return all(same(wanted.get(part), sent.get(part)) for part in parts)

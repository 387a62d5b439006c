"""How a service is asked: the `user_config` of a model's deployment, with what the node's environment says in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.replica.references import REFERENCE, resolve
from runtime.saas.budget import Budget

_SHORTEST_SECRET = 4
"""A shorter value would be found in any text."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One service and one model there."""

    protocol: str
    """`openai`: its own API over HTTP; `litellm`: whatever LiteLLM speaks to it."""
    model: str
    """The model's name there."""
    base_url: str | None
    api_key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """What every request carries beside the key."""
    options: Mapping[str, Any] = field(repr=False)
    """What LiteLLM is given beside the request."""
    timeout_s: float
    idle_timeout_s: float
    retries: int
    budget: Budget
    secrets: frozenset[str] = field(repr=False)
    """The values that no answer may hold."""

    @classmethod
    def parse(cls, user_config: Mapping[str, Any], environment: Mapping[str, str]) -> "Settings":
        """The settings, with every `${env:NAME}` replaced from `environment`.

        Raises:
            LookupError: a variable is not set; names the variable and the key it is used in.
            KeyError: a setting is missing.
            ValueError: a header cannot hold what a variable holds.
        """
        found = resolve(user_config, environment, "saas")
        # What is kept in files and secrets often ends with a line break.
        key = (found.get("api_key") or "").strip()
        headers = {name: value.strip() for name, value in (found.get("headers") or {}).items()}
        for name, value in {"api_key": key, **headers}.items():
            if not value.isprintable():
                raise ValueError(f"the value of `{name}` holds a line break or another sign that no header can hold")
        named = REFERENCE.findall(json.dumps([user_config.get(key) for key in ("api_key", "headers", "options")]))
        return cls(
            protocol=found["protocol"],
            model=found["model"],
            base_url=found.get("base_url"),
            api_key=key or None,
            headers=headers,
            options=found.get("options") or {},
            timeout_s=found["timeout_s"],
            idle_timeout_s=found["idle_timeout_s"],
            retries=found["retries"],
            budget=Budget.parse(found.get("budget") or {}, found.get("prices")),
            secrets=frozenset(value for name in named if len(value := environment[name].strip()) >= _SHORTEST_SECRET),
        )

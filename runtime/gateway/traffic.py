"""Who still uses a model: the requests that one replica of the gateway has had for each, and all replicas together."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

PATH = "/reconciler/traffic"
"""Where the gateway answers with the traffic of all its replicas."""

OURS = "reconciler/"
"""How the `User-Agent` of reconciler's own requests begins: an apply that asks a model is nobody who uses it."""


class Traffic:
    """Counts since it was made. A model is as large here as one number and one time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any moment on."""
        self._clock = clock
        self._began = clock()
        self._requests: dict[str, int] = {}
        self._latest: dict[str, float] = {}

    def count(self, model_id: str, headers: Mapping[str, str]) -> None:
        """A request for a model has come, whether it will be answered or not."""
        if not headers.get("user-agent", "").startswith(OURS):
            self._requests[model_id] = self._requests.get(model_id, 0) + 1
            self._latest[model_id] = self._clock()

    def report(self) -> dict[str, Any]:
        """What was counted: `watched_s`, the seconds since counting began, and by model id `requests` and `last_s`, the
        seconds since the latest. Times are differences, so that nobody's clock has to be right."""
        now = self._clock()
        models = {
            model_id: {"requests": count, "last_s": round(now - self._latest[model_id], 3)}
            for model_id, count in self._requests.items()
        }
        return {"watched_s": round(now - self._began, 3), "models": models}


def combined(reports: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The reports of all replicas as one. It is as old as the youngest of them: what a replica before that one counted
    is not known any more."""
    found = list(reports)
    models: dict[str, dict[str, Any]] = {}
    for report in found:
        for model_id, counted in report["models"].items():
            total = models.setdefault(model_id, {"requests": 0, "last_s": counted["last_s"]})
            total["requests"] += counted["requests"]
            total["last_s"] = min(total["last_s"], counted["last_s"])
    return {
        "replicas": len(found),
        "watched_s": min((report["watched_s"] for report in found), default=0.0),
        "models": {model_id: models[model_id] for model_id in sorted(models)},
    }

"""What the gateway measures. Ray shows it on the metrics port of each node, beside Serve's own figures."""

import time
from collections import Counter as Tally
from collections.abc import Callable

from ray.serve.metrics import Counter, Gauge, Histogram

from runtime.gateway.usage import Usage

UNKNOWN = "unknown"
"""Stands for every model that there is not, and for requests that name none: clients must not make labels up."""

_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 150, 300, 600]


class Metrics:
    """The figures of one replica of the gateway, by model."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds from any moment on."""
        self._clock = clock
        self._ongoing: Tally[str] = Tally()
        self._requests = Counter(
            "reconciler_gateway_requests", "Requests that were answered, and how.", ("model", "key", "status")
        )
        self._in_flight = Gauge("reconciler_gateway_ongoing_requests", "Requests on their way.", ("model",))
        self._latency = Histogram(
            "reconciler_gateway_latency_seconds", "From a request to the end of its answer.", _SECONDS, ("model",)
        )
        self._first_byte = Histogram(
            "reconciler_gateway_first_byte_seconds",
            "From a request to the first byte of its answer.",
            _SECONDS,
            ("model",),
        )
        self._tokens = Counter("reconciler_gateway_tokens", "Tokens that answers report.", ("model", "kind"))
        self._diverted = Counter(
            "reconciler_gateway_diverted_requests", "Requests that another model answered.", ("model", "answered_by")
        )

    def begin(self) -> "Measured":
        """A request has come."""
        return Measured(self, self._clock())

    def _enter(self, model: str, step: int) -> None:
        self._ongoing[model] += step
        self._in_flight.set(self._ongoing[model], {"model": model})


class Measured:
    """One request, from when it came until its answer has been sent."""

    def __init__(self, metrics: Metrics, began: float) -> None:
        self._metrics = metrics
        self._began = began
        self._model = UNKNOWN
        self._key = ""
        self._entered = False

    def asked_by(self, key: str) -> None:
        """Whose request it is; empty where no key is asked for."""
        self._key = key

    def asked_for(self, model_id: str) -> None:
        """Which model of the table it means."""
        self._model = model_id
        self._entered = True
        self._metrics._enter(model_id, 1)

    def answers(self, model_id: str) -> None:
        """The first byte is there, and this model has given it."""
        self._metrics._first_byte.observe(self._seconds(), {"model": self._model})
        if model_id != self._model:
            self._metrics._diverted.inc(1, {"model": self._model, "answered_by": model_id})

    def end(self, status: int, usage: Usage | None = None) -> None:
        """The answer is complete, or broke off; 499: the client went away."""
        metrics = self._metrics
        metrics._requests.inc(1, {"model": self._model, "key": self._key, "status": str(status)})
        metrics._latency.observe(self._seconds(), {"model": self._model})
        for kind, count in usage.kinds() if usage else ():
            metrics._tokens.inc(count, {"model": self._model, "kind": kind})
        if self._entered:
            metrics._enter(self._model, -1)

    def _seconds(self) -> float:
        return self._metrics._clock() - self._began

"""Constant requests to one model through Ray's HTTP proxy and the gateway, and what became of each."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PAUSE_S = 0.05


@dataclass
class Load:
    """The answers to a model so far: by version, and in words what failed."""

    answers: Counter[Any] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def assert_never_failed(self) -> None:
        """Every request was answered."""
        assert self.answers
        assert not self.failures, f"{len(self.failures)} of {self.total} requests failed: {self.failures[:3]}"

    @property
    def total(self) -> int:
        """How many requests have come to an end."""
        return sum(self.answers.values()) + len(self.failures)


@contextmanager
def load(gateway_address: str, model_id: str, *, clients: int = 2, patience_s: float = 30.0) -> Iterator[Load]:
    """Ask until the block ends. A request that takes longer than `patience_s` counts as failed."""
    found, end = Load(), threading.Event()
    url = urlsplit(gateway_address)
    body = json.dumps({"model": model_id, "messages": []})

    def ask() -> None:
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=patience_s)
        try:
            connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status == 200:
                found.answers[json.loads(text)["version"]] += 1
            else:
                found.failures.append(f"{response.status}: {text[:200]!r}")
        except (OSError, http.client.HTTPException) as error:
            found.failures.append(type(error).__name__)
        finally:
            connection.close()

    def go_on() -> None:
        while not end.wait(PAUSE_S):
            ask()

    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        end.set()
        for thread in threads:
            thread.join()

"""`FakeServe` behind HTTP: the dashboard that the REST client talks to, and the gateway that the smoke test asks.

A fake cluster's time passes either through `tick_s`, some seconds at each read of the applications, so that what a run
asks for is the same every time; or through a test's own clock on the same `FakeServe`, for which `tick_s` is 0.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from reconciler.serve.errors import PutRefused
from tests.support.fake_serve import FakeServe
from tests.support.web import Handler, serving

APPLICATIONS = "/api/serve/applications/"
_PACKAGES = "/api/packages/gcs/"
_JOBS = "/api/jobs/"


@contextmanager
def dashboard(serve: FakeServe, tick_s: float = 0.0) -> Iterator[str]:
    """The address of that cluster's dashboard, which is its gateway's as well."""
    lock = RLock()

    class FakeDashboard(Handler):
        def do_GET(self) -> None:
            with lock:
                self._get()

        def do_PUT(self) -> None:
            with lock:
                self._put(self.body())

        def do_POST(self) -> None:
            with lock:
                body = self.body()
                if self.path.startswith(_JOBS):
                    self._job(json.loads(body) if body else None)
                else:
                    self._ask(json.loads(body))

        def do_DELETE(self) -> None:
            with lock:
                self._job(None)

        def _get(self) -> None:
            url = urlsplit(self.path)
            if url.path == APPLICATIONS and tick_s:
                serve.advance(tick_s)
            if url.path.startswith(_JOBS):
                self._job(None)
            elif url.path == "/api/v0/logs/file":
                self._log({key: values[0] for key, values in parse_qs(url.query).items()})
            elif url.path.startswith(_PACKAGES):
                self.reply(200 if url.path.removeprefix(_PACKAGES) in serve.packages else 404, b"")
            elif url.path == "/v1/models":
                self._json(200, {"data": [{"id": model_id} for model_id in sorted(_routes(serve))]})
            else:
                answer = serve.answer(url.path)
                self._json(404 if answer is None else 200, answer)

        def _put(self, body: bytes) -> None:
            path = urlsplit(self.path).path
            if path.startswith(_PACKAGES):
                serve.upload_package(path.removeprefix(_PACKAGES), body)
                self.reply(200, b"")
                return
            try:
                serve.put(json.loads(body))
            except PutRefused as error:
                self.reply(error.status, error.body.encode(), "text/plain")
            else:
                self.reply(200, b"")

        def _ask(self, question: Mapping[str, Any]) -> None:
            route = _routes(serve).get(question["model"])
            running = route is not None and serve.is_serving(route["application"])
            answer = {"choices": [{"message": {"content": "hello"}}]}
            self._json(200 if running else 503, answer if running else {"error": "no replica serves it"})

        def _job(self, body: Mapping[str, Any] | None) -> None:
            status, answer = serve.board.answer(self.command, urlsplit(self.path).path, body)
            if isinstance(answer, str):
                self.reply(status, answer.encode(), "text/plain")
            else:
                self._json(status, answer)

        def _log(self, asked: Mapping[str, str]) -> None:
            found = serve.logs.get(f"/{asked.get('filename')}") or serve.outputs.get(asked.get("actor_id", ""))
            self.reply(200 if found else 500, (found or "not found").encode(), "text/plain")

        def _json(self, status: int, answer: Any) -> None:
            self.reply(status, json.dumps(answer).encode())

    with serving(FakeDashboard) as address:
        yield address


def _routes(serve: FakeServe) -> Mapping[str, Any]:
    """The routing table of the gateway that is deployed."""
    config = serve.config("gateway") or {}
    overrides = config.get("deployments") or [{}]
    return dict((overrides[0].get("user_config") or {}).get("models") or {})

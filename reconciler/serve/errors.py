"""What can go wrong between here and a Ray cluster.

    ServeError
    ├── Unreachable    nobody answers, or too late
    ├── Unauthorized   the dashboard wants a token, or another one
    ├── PutRefused     the dashboard refused a document (Ray may have stored it all the same)
    ├── BadAnswer      an answer that is not what Ray 2.60 sends
    ├── JobsUnusable   the dashboard offers no job API, or not to us
    ├── GatewayRefused the gateway, or the engine behind it, answered with an error
    └── LocalError     the embedded local cluster: not up, died, or would not start

Messages are what a user reads. None of them ever holds a token.
"""


class ServeError(Exception):
    """Something between here and the cluster failed. `message` says what, `hint` what would mend it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class Unreachable(ServeError):
    """The dashboard does not answer: no connection, a time-out, or 502, 503 or 504 after every retry."""


class Unauthorized(ServeError):
    """The dashboard answered 401, or 403: it may know who we are and still refuse this one request."""

    def __init__(self, message: str, hint: str | None = None, status: int = 401) -> None:
        super().__init__(message, hint)
        self.status = status


class PutRefused(ServeError):
    """A PUT was answered with an error status. Ray may have stored the document all the same: read and compare."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(
            f"the Ray dashboard refused the Serve config ({status}): {body.strip()[:2000] or 'no explanation'}",
            "Ray may have stored it all the same: `reconcile status` shows what the cluster has now",
        )
        self.status = status
        self.body = body


class BadAnswer(ServeError):
    """An answer that cannot be what a Ray 2.60 dashboard means."""


class JobsUnusable(ServeError):
    """The dashboard offers no job API, or refuses it to us, so that no lease can be taken."""


class GatewayRefused(ServeError):
    """The gateway, or the engine behind it, answered with an error: `message` is its own, `status` that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class LocalError(ServeError):
    """The embedded local cluster is not there, or could not be started."""

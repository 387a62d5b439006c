"""Who else wrote, as the dashboard's own log of requests tells. Pure.

A PUT that another one overwrote may leave no trace in what is live. The dashboard writes down every request when it
ends, with its duration and the caller's agent (`access_log_format` in `ray/dashboard/http_server_head.py` 2.60):

    2026-11-21 13:24:22,429	INFO web_log.py:229 -- 10.0.0.7 [21/Nov/2026:13:24:22 +0000]
        'PUT /api/serve/applications/ HTTP/1.1' 200 111 bytes 22335 us '-' 'python-requests/2.32'

All times are the dashboard's, so that no two clocks are compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

LOG_FILE = "dashboard.log"

_LINE = re.compile(
    r"(?P<ended>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})\s+INFO \S+ -- (?P<address>\S+) \[[^]]*\] "
    r"'(?P<method>[A-Z]+) /api/serve/applications(?:/|\?)?\S* HTTP/\S+' (?P<status>\d{3}) \d+ bytes "
    r"(?P<micros>\d+) us '.*?' '(?P<agent>.*)'"
)
_WRITES = ("PUT", "DELETE")
_NOT_TAKEN = frozenset({401, 403, 404, 405})
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    status: int
    begun_s: float
    ended_s: float
    address: str
    agent: str

    @property
    def is_write(self) -> bool:
        return self.method in _WRITES and self.status not in _NOT_TAKEN


def other_writers(log: str, agent: str) -> tuple[str, ...] | None:
    """Who else wrote between the last read and the last write of the client with that agent, or at the same time as
    one of them, in a few words each; None when the log does not show both."""
    requests = tuple(_requests(log))
    own = [request for request in requests if request.agent == agent]
    written = next((request for request in reversed(own) if request.is_write), None)
    if written is None:
        return None
    read = next(
        (found for found in reversed(own) if found.method == "GET" and found.ended_s <= written.begun_s + 0.001), None
    )
    if read is None:
        return None
    others = (request for request in requests if request.is_write and request.agent != agent)
    between = (found for found in others if found.ended_s >= read.begun_s and found.begun_s <= written.ended_s)
    return tuple(dict.fromkeys(_text(f"{found.address} with {found.agent}") for found in between))


def _requests(log: str) -> Iterator[_Request]:
    for line in log.splitlines():
        match = _LINE.match(line)
        if match is not None:
            ended_s = datetime.strptime(match["ended"], "%Y-%m-%d %H:%M:%S,%f").timestamp()
            begun_s = ended_s - int(match["micros"]) / 1e6
            yield _Request(match["method"], int(match["status"]), begun_s, ended_s, match["address"], match["agent"])


def _text(said: str) -> str:
    """What anybody may have sent as its agent, short and safe to print."""
    return "".join(letter for letter in said if letter.isprintable())[:_LONGEST]

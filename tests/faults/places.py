"""Where in an apply a request stands, by name: found in what an undisturbed run asks for."""

from collections.abc import Sequence

from tests.support.fault_proxy import Request, Rule
from tests.support.faults import LIST_FAULTS, READ_FAULTS, WRITE_FAULTS, Fault

FIRST = "the first read"
STEPS = ("change", "rollback", "record")
"""The documents that an apply sends which has to go back: the wave, the way back, and how it ended."""

_GATEWAY_FAULTS = tuple(fault for fault in READ_FAULTS if fault is not Fault.UNAUTHORIZED)
"""A gateway that wants a token is one that nobody can ask: no trouble of a moment."""


def places(requests: Sequence[Request]) -> dict[str, Request]:
    """The requests that matter most: of each document the read before it, itself, the read back and the first poll."""
    lists = [request for request in requests if request.is_list]
    found = {FIRST: lists[0]}
    for step, put in zip(STEPS, (request for request in requests if request.is_put), strict=True):
        back, poll, *_ = [request for request in lists if request.number > put.number]
        found |= {
            f"the read before the {step}": [request for request in lists if request.number < put.number][-1],
            f"the PUT of the {step}": put,
            f"the read back of the {step}": back,
            f"the read after the {step}": poll,
        }
    return found


def faults_of(request: Request) -> tuple[Fault, ...]:
    """What can happen to such a request."""
    if request.is_put:
        return WRITE_FAULTS
    if request.path.startswith("/v1/"):
        return _GATEWAY_FAULTS
    return LIST_FAULTS if request.is_list else READ_FAULTS


def rule(fault: Fault, request: Request, times: int = 1) -> Rule:
    """That fault for the request of that number, or for the next of its kind when the way there is another one."""
    kind = (request.method, request.path)
    return Rule(fault, lambda found: found.number >= request.number and (found.method, found.path) == kind, times=times)

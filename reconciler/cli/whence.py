"""Where a run is: the address of its CI job, or the name of the machine."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

_GITHUB = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
_ADDRESSES = ("CI_JOB_URL", "BUILD_URL", "BUILDKITE_BUILD_URL", "CIRCLE_BUILD_URL")
"""Variables in which GitLab, Jenkins, Buildkite and CircleCI give the address of a job."""


def whence(variables: Mapping[str, str]) -> str:
    """What people can look up; without credentials, should an address hold any."""
    if all(variables.get(name) for name in _GITHUB):
        server, repository, run = (variables[name] for name in _GITHUB)
        return _bare(f"{server}/{repository}/actions/runs/{run}")
    for name in _ADDRESSES:
        if variables.get(name):
            return _bare(variables[name])
    return socket.gethostname()


def _bare(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return socket.gethostname()
    return urlunsplit((parts.scheme, host, parts.path, "", ""))

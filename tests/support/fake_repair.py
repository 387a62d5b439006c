"""The job of `reconcile repair` on Ray Serve in memory: what it finds, and what it does (`runtime/repair`)."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.support.fake_application import FakeApplication

if TYPE_CHECKING:
    from tests.support.fake_serve import FakeServe


def run(serve: "FakeServe", applications: Mapping[str, FakeApplication], words: Sequence[str]) -> str:
    """The output of the job."""
    found = _mend(serve, applications, words[1:]) if words[0] == "mend" else _diagnose(serve, applications)
    return f"Running entrypoint for job\nRECONCILER-REPAIR {json.dumps(found)}\n"


def _diagnose(serve: "FakeServe", applications: Mapping[str, FakeApplication]) -> dict[str, Any]:
    declarative = {name: entry for name, entry in applications.items() if entry.declarative}
    return {
        "controller_lives": not serve.lost,
        "shutting_down": False,
        "stored": True,
        "imperative": sorted(applications.keys() - declarative.keys()),
        "applications": [
            {
                "name": name,
                "fault": _fault(entry),
                "remedy": "as-it-serves" if entry.stuck and entry.served else None,
                "replicas": [
                    f"SERVE_REPLICA::{name}#{deployment.name}#{replica.replica_id}"
                    for deployment in entry.deployments.values()
                    for replica in deployment.replicas
                ],
            }
            for name, entry in sorted(declarative.items())
        ],
    }


def _mend(serve: "FakeServe", applications: Mapping[str, FakeApplication], drop: Sequence[str]) -> dict[str, Any]:
    serve.lost = False
    for name, entry in applications.items():
        if entry.stuck and name not in drop:
            entry.apply(entry.served, serve.now)
        elif entry.stuck:
            entry.stuck = False
            entry.delete()
    return {"sent": sorted(applications.keys() - set(drop))}


def _fault(entry: FakeApplication) -> str | None:
    if not entry.stuck:
        return None
    variables = entry.config["runtime_env"]["env_vars"]
    wrong = ", ".join(f"`{name}`" for name in sorted(variables) if not isinstance(variables[name], str))
    return f"`runtime_env.env_vars`: {wrong} is not text"

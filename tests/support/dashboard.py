"""A Ray dashboard in memory for the REST client: canned answers by method and path, and what was asked."""

from typing import Any

import httpx

from reconciler.serve.rest import RestClient
from tests.support.sender import FakeSender

ADDRESS = "http://ray.test:8265"


def serve_details(**applications: Any) -> dict[str, Any]:
    """The answer of `GET /api/serve/applications/`, as Ray 2.60 gives it."""
    return {
        "controller_info": {"node_id": "n1", "actor_name": "SERVE_CONTROLLER_ACTOR"},
        "proxy_location": "EveryNode",
        "http_options": {
            "host": "0.0.0.0",
            "port": 8000,
            "root_path": "",
            "request_timeout_s": None,
            "ssl_keyfile_password": "hush-hush",
        },
        "grpc_options": {"port": 9000, "grpc_servicer_functions": [], "request_timeout_s": None},
        "proxies": {},
        "applications": applications,
        "target_capacity": None,
    }


def application_details(name: str, **fields: Any) -> dict[str, Any]:
    """One application in that answer."""
    return {
        "name": name,
        "route_prefix": f"/{name}",
        "status": "RUNNING",
        "message": "",
        "last_deployed_time_s": 1795257121.25,
        "deployed_app_config": {"name": name, "import_path": "m:build", "args": {"owner": "tests"}},
        "source": "declarative",
        "deployments": {
            "Light": {
                "name": "Light",
                "status": "HEALTHY",
                "message": "",
                "deployment_config": {"name": "Light", "max_ongoing_requests": 5},
                "target_num_replicas": 1,
                "replicas": [replica_details("r1", state="RUNNING")],
                "recent_dead_replicas": [replica_details("r0", state="STOPPED")],
            }
        },
        **fields,
    }


def replica_details(replica_id: str, state: str) -> dict[str, Any]:
    """One replica in that answer."""
    return {
        "replica_id": replica_id,
        "state": state,
        "node_id": "n1",
        "actor_id": f"a-{replica_id}",
        "log_file_path": f"/serve/replica_{replica_id}.log",
        "start_time_s": 1.0,
    }


def rows(*entries: dict[str, Any]) -> dict[str, Any]:
    """An answer of the state API."""
    return {"result": True, "msg": "", "data": {"result": {"total": len(entries), "result": list(entries)}}}


VERSION = {"version": "4", "ray_version": "2.60.0", "ray_commit": "c", "session_name": "s"}
NODES = rows(
    {
        "node_id": "n1",
        "state": "ALIVE",
        "resources_total": {"CPU": 16.0, "GPU": 2.0, "accelerator_type:L4": 1.0, "node:__internal_head__": 1.0},
    },
    {"node_id": "n0", "state": "DEAD", "resources_total": {"CPU": 16.0}},
)
STATUS = {
    "data": {
        "clusterStatus": {
            "time": 1795257123.5,
            "loadMetricsReport": {
                "usageByNode": {
                    "n1": {
                        "CPU": [3.0, 16.0],
                        "acceleratorType:L4": [0.5, 1.0],
                        "node:InternalHead": [0.001, 1.0],
                        "bundleGroup0Ab": [1.0, 1000.0],
                    }
                }
            },
        }
    }
}


class Dashboard:
    """Answers what `answers` holds for `"GET /path"`; a list is used up one by one, its last entry for ever."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []
        self.sender = FakeSender(self._answer, ADDRESS)
        self.answers: dict[str, Any] = {
            "GET /api/serve/applications/": serve_details(a=application_details("a")),
            "GET /api/ray/version": VERSION,
            "GET /api/v0/nodes": NODES,
            "GET /api/cluster_status": STATUS,
            "GET /api/v0/actors": rows(),
        }

    def client(self, address: str = ADDRESS, token: str | None = None) -> RestClient:
        """A client of this dashboard that does not wait."""
        return RestClient(address, token=token, sleep=self.slept.append, sender=self.sender)

    def paths(self) -> list[str]:
        """What was asked, in order."""
        return [f"{request.method} {request.url.path}" for request in self.asked]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers[f"{request.method} {request.url.path}"]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

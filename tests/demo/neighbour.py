"""Somebody else on the same Ray cluster, who has never heard of reconciler: talks to the dashboard directly.

`deploy` puts an application of its own, `check` says whether its config is still byte for byte what was put, and
`mischief` changes one of our applications and deletes another behind our back.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import httpx

STATE = Path(".reconciler/local")
CODE = """
from ray import serve

@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Greeter:
    def __init__(self, greeting: str):
        self.greeting = greeting

    def __call__(self, request) -> str:
        return self.greeting

def build(args: dict):
    return Greeter.bind(args["greeting"])
"""
PACKAGE = "neighbour.zip"
APPLICATION = {
    "name": "neighbour",
    "route_prefix": "/neighbour",
    "import_path": "neighbour.greeter:build",
    "runtime_env": {"py_modules": [f"gcs://{PACKAGE}"]},
    "args": {"greeting": "good morning"},
}


def main(command: str) -> None:
    local = json.loads((STATE / "cluster.json").read_text())
    token = STATE / "token"
    headers = {"Authorization": f"Bearer {token.read_text().strip()}"} if token.exists() else {}
    with httpx.Client(base_url=local["dashboard_address"], headers=headers, timeout=60) as dashboard:
        if command == "deploy":
            dashboard.put(f"/api/packages/gcs/{PACKAGE}", content=package()).raise_for_status()
            put(dashboard, [*configs(dashboard).values(), APPLICATION])
            print("somebody else deployed the application `neighbour`")
        elif command == "mischief":
            applications = configs(dashboard)
            del applications["local--tiny-chat-b"]
            applications["local--tiny-chat-a"]["deployments"][0]["max_ongoing_requests"] = 3
            put(dashboard, list(applications.values()))
            print("somebody set max_ongoing_requests of local--tiny-chat-a to 3 and deleted local--tiny-chat-b")
        else:
            found = json.dumps(configs(dashboard)["neighbour"], sort_keys=True)
            wanted = json.dumps(APPLICATION, sort_keys=True)
            assert found == wanted, f"the neighbour's config changed:\n{wanted}\n{found}"
            answer = httpx.get(f"{local['gateway_address']}/neighbour", timeout=60)
            print(f"config byte-equal: {found == wanted}; it answers: {answer.text}")


def configs(dashboard: httpx.Client) -> dict[str, dict]:
    answer = dashboard.get("/api/serve/applications/").raise_for_status().json()
    return {name: found["deployed_app_config"] for name, found in answer["applications"].items()}


def put(dashboard: httpx.Client, applications: list[dict]) -> None:
    dashboard.put("/api/serve/applications/", json={"applications": applications}).raise_for_status()


def package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("neighbour/__init__.py", "")
        archive.writestr("neighbour/greeter.py", CODE)
    return buffer.getvalue()


main(sys.argv[1])

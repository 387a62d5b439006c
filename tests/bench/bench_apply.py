"""Apply against bare PUTs and `serve deploy` on real Ray, with models that have no engine: wall times.

A cluster of its own is started for it. What Ray needs is in every figure, and the runs alternate, so that a busy
machine slows all sides alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from reconciler.serve.local.cluster import LocalCluster, down, up
from reconciler.serve.rest import RestClient
from tests.support.ray_rig import light_runtime

BIN = Path(sys.executable).parent
RECONCILE = str(BIN / "reconcile")
CLUSTER = """\
owner: bench
default: true
max_parallel_starts: 200
dashboard:
  address: {dashboard}
gateway:
  address: {gateway}
  num_cpus: 0.01
runtime_packages:
  engine: {package}
  gateway: {package}
"""
MODEL = """\
engine_config:
  model_id: bench/model-{number}
  engine_kwargs:
    max_num_seqs: {version}
  runtime_env:
    env_vars: {{STARTUP_S: "0"}}
deployment_config:
  max_ongoing_requests: 5
  graceful_shutdown_timeout_s: 1
  graceful_shutdown_wait_loop_s: 0.1
  ray_actor_options:
    num_cpus: 0
scaling_config:
  num_gpus_per_worker: 0
  num_cpus_per_worker: 0.01
"""


@dataclass
class Scene:
    """A cluster, and a registry for it."""

    cluster: LocalCluster
    root: Path
    versions: int = 0

    def write(self, count: int) -> None:
        """So many models, all of a version that never was before."""
        self.versions += 1
        for file in self.root.glob("*.yaml"):
            file.unlink()
        for number in range(count):
            (self.root / f"bench--model-{number}.yaml").write_text(MODEL.format(number=number, version=self.versions))

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Run a command that must succeed; what it says on stdout."""
        variables = {**os.environ, "RECONCILER_CACHE_DIR": str(self.root.parent / "cache"), **(environment or {})}
        done = subprocess.run(arguments, capture_output=True, text=True, env=variables, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def document(self) -> dict[str, Any]:
        """What apply would send."""
        text = self.run(RECONCILE, "render", "--registry", str(self.root), "--format", "json")
        found: dict[str, Any] = json.loads(text)
        return found

    def put(self, document: dict[str, Any]) -> None:
        """A bare PUT."""
        request = urllib.request.Request(
            f"{self.cluster.dashboard_address}/api/serve/applications/",
            json.dumps(document).encode(),
            {"Content-Type": "application/json"},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=120).read()

    def await_running(self, document: dict[str, Any]) -> None:
        """Until the applications of the document run with what it says, and nothing else is left."""
        wanted = {config["name"] for config in document["applications"]}
        while True:
            found = self._applications()
            if found.keys() == wanted and all(map(settled, found.values())):
                return
            time.sleep(0.05)

    def _applications(self) -> dict[str, Any]:
        address = f"{self.cluster.dashboard_address}/api/serve/applications/"
        found: dict[str, Any] = json.load(urllib.request.urlopen(address, timeout=60))["applications"]
        return found

    def apply(self) -> None:
        """Run `reconcile apply`."""
        self.run(RECONCILE, "apply", "--auto-approve", "--allow-mass-change", "--registry", str(self.root))


def settled(application: dict[str, Any]) -> bool:
    """Whether an application runs, with as many replicas as it should have and no other ones."""
    deployments = application["deployments"].values()
    return application["status"] == "RUNNING" and all(
        [replica["state"] for replica in deployment["replicas"]] == ["RUNNING"] * deployment["target_num_replicas"]
        for deployment in deployments
    )


def seconds(act: Callable[[], object]) -> float:
    """How long it takes, on the wall."""
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def measure_change(scene: Scene, runs: int) -> None:
    """A model that restarts: a bare PUT until it runs, `serve deploy` (which does not wait), and apply."""
    scene.write(1)
    scene.apply()
    bare, deploy, ours = [], [], []
    for _ in range(runs):
        scene.write(1)
        document = scene.document()
        bare.append(seconds(lambda: (scene.put(document), scene.await_running(document))))  # noqa: B023
        scene.write(1)
        document = scene.document()
        file = scene.root.parent / "deploy.yaml"
        file.write_text(json.dumps(document))
        command = (str(BIN / "serve"), "deploy", str(file), "--address", scene.cluster.dashboard_address)
        deploy.append(seconds(lambda: scene.run(*command)))  # noqa: B023
        scene.await_running(document)
        scene.write(1)
        ours.append(seconds(scene.apply))
    ray, theirs, mine = (statistics.median(side) for side in (bare, deploy, ours))
    row("one model restarts: apply", mine, "bare PUT until it runs", ray)
    added = mine - ray
    verdict = "ok" if added <= theirs / 20 else "MISSED"
    row("what apply adds to that", added, "serve deploy", theirs, f"1 in 20 {verdict}")


def measure_nothing(scene: Scene, runs: int) -> None:
    """An apply that has nothing to do."""
    before = last_deployed(scene)
    took = statistics.median(seconds(scene.apply) for _ in range(runs))
    sent = last_deployed(scene) != before
    row("nothing to do: apply", took, "", 0.0, f"no PUT {'MISSED' if sent else 'ok'}")


def last_deployed(scene: Scene) -> dict[str, float]:
    """When each application was deployed, which every PUT sets anew."""
    return {name: entry["last_deployed_time_s"] for name, entry in scene._applications().items()}


def measure_creates(scene: Scene, count: int, runs: int) -> None:
    """Many models at once: a bare PUT until they run, and apply."""
    bare, ours = [], []
    empty: dict[str, Any] = {"applications": []}
    for _ in range(runs):
        scene.put(empty)
        scene.await_running(empty)
        scene.write(count)
        document = scene.document()
        bare.append(seconds(lambda: (scene.put(document), scene.await_running(document))))  # noqa: B023
        scene.put(empty)
        scene.await_running(empty)
        ours.append(seconds(scene.apply))
    ray, mine = statistics.median(bare), statistics.median(ours)
    verdict = "ok" if mine <= ray * 1.1 else "MISSED"
    row(f"{count} models and the gateway: apply", mine, "bare PUT until they run", ray, f"1.1 x {verdict}")


def row(name: str, mine: float, baseline: str, theirs: float, goal: str = "") -> None:
    """A line of the table."""
    ratio = f"{mine / theirs:.3f}" if theirs else ""
    print(f"{name:<40}{mine:>9.2f}{baseline:>28}{theirs:>9.2f}{ratio:>9}  {goal}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--models", type=int, default=49, help="created at once, beside the gateway")
    options = parser.parse_args()
    print(f"{'what':<40}{'wall s':>9}{'baseline':>28}{'wall s':>9}{'ratio':>9}  goal")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="rb") as temporary:
        root = Path(temporary) / "registry"
        (root / "clusters").mkdir(parents=True)
        os.environ["RAY_AUTH_MODE"] = "disabled"
        cluster = up(Path(temporary) / "ray", auth="disabled", num_cpus=16)
        try:
            package = light_runtime()
            with RestClient(cluster.dashboard_address) as client:
                client.upload_package(package.name, package.content)
            (root / "clusters" / "bench.yaml").write_text(
                CLUSTER.format(
                    dashboard=cluster.dashboard_address, gateway=cluster.gateway_address, package=package.uri
                )
            )
            scene = Scene(cluster, root)
            measure_change(scene, options.runs)
            measure_nothing(scene, options.runs)
            measure_creates(scene, options.models, options.runs)
        finally:
            down(Path(temporary) / "ray")


if __name__ == "__main__":
    main()

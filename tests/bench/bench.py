"""Start-up, validate and plan, each against something everybody has: figures are ratios of CPU time in one run, and the
goal stands beside them.

Commands are run in turn (A B A B ...) and medians compared, so that a busy machine slows both sides alike.
"""

import argparse
import contextlib
import functools
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
RECONCILE, PYTHON = str(BIN / "reconcile"), [sys.executable, "-c", "pass"]
MODEL = """\
# yaml-language-server: $schema=../schemas/model.schema.json
enabled: true
rollout:
  strategy: surge
deployment_config:
  autoscaling_config:
    min_replicas: 1
    max_replicas: {replicas}
    target_ongoing_requests: 24
    upscale_delay_s: 30
    downscale_delay_s: 600
  max_ongoing_requests: 64
  health_check_period_s: 10
engine_config:
  type: VLLMEngine
  model_id: bench/model-{number}
  hf_model_id: bench/model-{number}
  max_total_tokens: {context}
  model_description: A model of the benchmark, number {number}
  engine_kwargs:
    gpu_memory_utilization: 0.9
    max_num_seqs: 64
    enable_prefix_caching: true
    dtype: bfloat16
  runtime_env:
    env_vars:
      HF_TOKEN: ${{env:HF_TOKEN}}
      BENCH_NUMBER: "{number}"
  generation:
    generate_kwargs:
      temperature: 0.{temperature}
      top_p: 0.9
    stopping_sequences: ["### End", "</s>"]
scaling_config:
  num_workers: {workers}
  num_gpus_per_worker: 1
  num_cpus_per_worker: 8
  placement_strategy: STRICT_PACK
  resources_per_worker:
    accelerator_type:L4: 0.001
"""
CLUSTER = """\
owner: bench
default: true
dashboard:
  address: {address}
gateway:
  address: {address}
runtime_packages:
  engine: image
  gateway: image
"""


def registry(folder: Path, count: int, address: str) -> Path:
    """A registry of `count` varied models and one cluster."""
    (folder / "clusters").mkdir(parents=True)
    (folder / "clusters" / "bench.yaml").write_text(CLUSTER.format(address=address))
    for number in range(count):
        text = MODEL.format(
            number=number,
            replicas=1 + number % 7,
            context=1024 * (1 + number % 16),
            temperature=number % 10,
            workers=(1, 2, 4, 8)[number % 4],
        )
        (folder / f"bench--model-{number}.yaml").write_text(text)
    return folder


class Dashboard:
    """A stand-in for a Ray dashboard: what it answers costs us no Ray. Its nodes have 8 GPUs each."""

    def __init__(self) -> None:
        self._pages: dict[str, bytes] = {}
        self._set("/api/ray/version", {"ray_version": "2.60.0"})
        self._set("/api/v0/actors", {"result": True, "data": {"result": {"result": []}}})
        self.run([])

    def run(self, configs: list[dict[str, Any]]) -> None:
        """From now on these applications run, one replica each."""
        details = {
            "proxy_location": "EveryNode",
            "http_options": {"host": "0.0.0.0", "port": 8000},
            "applications": {config["name"]: running(config, number) for number, config in enumerate(configs)},
        }
        self._set("/api/serve/applications/", details)
        resources = {"CPU": 192.0, "GPU": 8.0, "accelerator_type:L4": 1.0, "memory": 1e12}
        names = [f"n{number:04}" for number in range(len(configs) * 3 // 4 + 2)]
        rows = [{"node_id": name, "state": "ALIVE", "resources_total": resources, "labels": {}} for name in names]
        self._set("/api/v0/nodes", {"result": True, "data": {"result": {"result": rows}}})
        usage = {name: {"CPU": [30.0, 192.0], "GPU": [5.0, 8.0], "acceleratorType:L4": [0.005, 1.0]} for name in names}
        report = {"clusterStatus": {"time": 1795268800.5, "loadMetricsReport": {"usageByNode": usage}}}
        self._set("/api/cluster_status", {"result": True, "data": report})

    def answer(self, path: str) -> bytes | None:
        """The page at a path, or None."""
        return self._pages.get(path)

    def _set(self, path: str, page: dict[str, Any]) -> None:
        self._pages[path] = json.dumps(page).encode()


def running(config: dict[str, Any], number: int) -> dict[str, Any]:
    """An application as `GET /api/serve/applications/` of Ray 2.60 shows it: as many keys, as many bytes."""
    name, override = config["name"], config["deployments"][0]
    deployment = override["name"]
    autoscaling = {
        "initial_replicas": None,
        "metrics_interval_s": 10.0,
        "look_back_period_s": 30.0,
        "smoothing_factor": 1.0,
        "upscale_smoothing_factor": None,
        "downscale_smoothing_factor": None,
        "aggregation_function": "mean",
        "policy": {"policy_function": "ray.serve.autoscaling_policy:default_autoscaling_policy"},
        **override["autoscaling_config"],
    }
    options = {
        "max_queued_requests": -1,
        "backpressure_config": {"status_code": 503, "retry_after_s": None},
        "user_config": None,
        "rolling_update_percentage": 0.2,
        "max_surge_percent": 0,
        **override,
        "autoscaling_config": autoscaling,
        "ray_actor_options": {"runtime_env": config["runtime_env"], "num_cpus": 0.0},
        "request_router_config": {
            "request_router_class": "ray.serve._private.request_router:PowerOfTwoChoicesRequestRouter",
            "request_router_kwargs": {},
            "request_routing_stats_period_s": 10.0,
            "initial_backoff_s": 0.025,
        },
    }
    replica = {
        "node_id": "n0",
        "node_ip": "192.0.2.2",
        "node_instance_id": "",
        "actor_id": f"{abs(hash(name)):032x}",
        "actor_name": f"SERVE_REPLICA::{name}#{deployment}#3j5k00a5",
        "worker_id": f"{abs(hash(name)):056x}",
        "log_file_path": f"/serve/replica_{name}_{deployment}_3j5k00a5.log",
        "replica_id": "3j5k00a5",
        "state": "RUNNING",
        "pid": 9796,
        "start_time_s": 1795268735.319981,
    }
    state = {
        "name": deployment,
        "status": "HEALTHY",
        "status_trigger": "CONFIG_UPDATE_COMPLETED",
        "message": "",
        "deployment_config": options,
        "target_num_replicas": 1,
        "required_resources": {"CPU": 0},
        "replicas": [replica],
        "recent_dead_replicas": [],
    }
    topology = {"name": deployment, "app_name": name, "outbound_deployments": [], "is_ingress": True}
    return {
        "name": name,
        "route_prefix": config["route_prefix"],
        "docs_path": None,
        "status": "RUNNING",
        "message": "",
        "last_deployed_time_s": 1795268724.7885733,
        "deployed_app_config": config,
        "source": "declarative",
        "deployments": {deployment: state},
        "external_scaler_enabled": False,
        "deployment_topology": {"app_name": name, "nodes": {deployment: topology}, "ingress_deployment": deployment},
    }


@contextlib.contextmanager
def serving(dashboard: Dashboard) -> Iterator[str]:
    """The address at which the dashboard answers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = dashboard.answer(self.path.split("?")[0]) or b"null"
            self.send_response(404 if page == b"null" else 200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the figures are the output."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@dataclass(frozen=True)
class Cost:
    """What one run took: user and system time in seconds, and the most memory it held, in MB."""

    seconds: float
    megabytes: float


def cost(command: list[str], variables: Mapping[str, str]) -> Cost:
    """Run a command that must succeed."""
    # An installed command has its bytecode; the warm-up run of a checkout must be allowed to keep it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, env={**environment, **variables}
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)[:200]} failed:\n{errors.decode()}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def change(file: Path) -> None:
    """Make a file another one that means the same."""
    with file.open("a") as stream:
        stream.write(f"# {time.time_ns()}\n")


@dataclass(frozen=True)
class Goal:
    """What a figure should at most be; the ratio to the baseline unless it says otherwise."""

    ratio: float | None = None
    seconds: float | None = None
    megabytes: float | None = None

    def said(self, ratio: float, found: Cost) -> str:
        """The goal, and whether it is reached."""
        pairs = [
            (f"{self.ratio or 0:.3g} x", ratio, self.ratio),
            (f"{self.seconds or 0:g} s", found.seconds, self.seconds),
            (f"{self.megabytes or 0:g} MB", found.megabytes, self.megabytes),
        ]
        given = [(text, figure <= limit) for text, figure, limit in pairs if limit is not None]
        return ", ".join(f"{text} {'ok' if reached else 'MISSED'}" for text, reached in given)


@dataclass(frozen=True)
class Bench:
    """Runs two commands in turn and prints a row of the table."""

    variables: Mapping[str, str]
    runs: int

    def row(
        self,
        name: str,
        command: list[str],
        baseline_name: str,
        baseline: list[str],
        prepare: Callable[[], None] = lambda: None,
        goal: Goal | None = None,
    ) -> None:
        """Medians of both after a warm-up, and their ratio. `prepare` goes before each run of the command."""
        ours: list[Cost] = []
        theirs: list[Cost] = []
        for _ in range(self.runs + 1):
            prepare()
            ours.append(cost(command, self.variables))
            theirs.append(cost(baseline, self.variables))
        mine, other = (statistics.median(each.seconds for each in side[1:]) for side in (ours, theirs))
        found = Cost(mine, max(each.megabytes for each in ours))
        print(
            f"{name:<36}{mine * 1000:>9.0f}{found.megabytes:>9.0f}{baseline_name:>32}{other * 1000:>9.0f}"
            f"{mine / other:>9.3f}{other / mine:>9.1f}  {goal.said(mine / other, found) if goal else ''}",
            flush=True,
        )


def deployed(reconcile: str, folder: Path, variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """The applications that a registry calls for."""
    command = [reconcile, "render", "--offline", "--registry", str(folder), "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ, **variables}, check=True)
    applications: list[dict[str, Any]] = json.loads(done.stdout)["applications"]
    return applications


def commit(folder: Path) -> None:
    """Put a registry into a git repository: asking git is part of what a plan costs."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "bench")):
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


PLAN_GOALS = {1000: Goal(ratio=30), 10000: Goal(seconds=1.5, megabytes=300)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100, 1000, 10000], help="models per registry")
    parser.add_argument("--runs", type=int, default=5, help="for each row; two for more than 1,000 models")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=["start", "validate", "plan", "drift"],
        default=["start", "validate", "plan", "drift"],
    )
    options = parser.parse_args()
    dashboard = Dashboard()
    print(f"{'command':<36}{'CPU ms':>9}{'peak MB':>9}{'baseline':>32}{'CPU ms':>9}{'ratio':>9}{'1 in':>9}  goal")
    with tempfile.TemporaryDirectory() as temporary, serving(dashboard) as address:
        variables = {"RECONCILER_CACHE_DIR": str(Path(temporary) / "cache")}
        if "start" in options.only:
            Bench(variables, options.runs).row("reconcile --help", [RECONCILE, "--help"], "python -c pass", PYTHON)
        for size in options.sizes:
            bench = Bench(variables, options.runs if size <= 1000 else min(options.runs, 2))
            folder = registry(Path(temporary) / str(size), size, address)
            if "validate" in options.only:
                measure_validate(bench, folder, size)
            if {"plan", "drift"} & set(options.only):
                commit(folder)
            if "drift" in options.only:
                measure_drift(bench, folder, size, dashboard)
            if "plan" in options.only:
                measure_plan(bench, folder, size, dashboard)


def measure_validate(bench: Bench, folder: Path, size: int) -> None:
    """Validate against a checker that many use."""
    files = sorted(str(path) for path in folder.glob("*.yaml"))
    schema = str(ROOT / "schemas" / "model.schema.json")
    checker = [str(BIN / "check-jsonschema"), "--schemafile", schema, *files]
    name = f"check-jsonschema, {size} files"
    validate = [RECONCILE, "validate", "--registry", str(folder)]
    if size == 1:
        goal = Goal(ratio=15)
        bench.row("validate, 1 model, unchanged", validate, "python -c pass", PYTHON, goal=goal)
        bench.row("validate, 1 model, first time", [*validate, "--no-cache"], "python -c pass", PYTHON, goal=goal)
    goals = {1000: Goal(ratio=1 / 30), 10000: Goal(ratio=1 / 50, megabytes=300)}
    first = functools.partial(change, Path(files[0]))
    bench.row(f"validate, {size} models, unchanged", validate, name, checker, goal=goals.get(size))
    bench.row(f"validate, {size} models, one changed", validate, name, checker, first)
    bench.row(f"validate, {size} models, first time", [*validate, "--no-cache"], name, checker)


def measure_plan(bench: Bench, folder: Path, size: int, dashboard: Dashboard) -> None:
    """Plan against as many live applications, of which none differs, or every hundredth; and a new cluster."""
    plan = [RECONCILE, "plan", "--registry", str(folder)]
    configs = deployed(RECONCILE, folder, bench.variables)
    goal = PLAN_GOALS.get(size)
    dashboard.run(configs)
    bench.row(f"plan, {size} models, all as live", plan, "python -c pass", PYTHON, goal=goal)
    for config in configs[1::100]:
        config["deployments"][0]["max_ongoing_requests"] = 7
    dashboard.run(configs)
    bench.row(f"plan, {size} models, some changed", plan, "python -c pass", PYTHON, goal=goal)
    forget = functools.partial(shutil.rmtree, bench.variables["RECONCILER_CACHE_DIR"], ignore_errors=True)
    bench.row(f"plan, {size} models, first time", plan, "python -c pass", PYTHON, prepare=forget)


def measure_drift(bench: Bench, folder: Path, size: int, dashboard: Dashboard) -> None:
    """Look for drift, and at the status, of as many live applications, beside a plan of the same."""
    plan = [RECONCILE, "plan", "--registry", str(folder)]
    configs = deployed(RECONCILE, folder, bench.variables)
    dashboard.run(configs)
    for name in ("drift", "status"):
        command = [RECONCILE, name, "--registry", str(folder)]
        bench.row(f"{name}, {size} models, all as live", command, "plan of the same", plan)
    for config in configs[1::100]:
        config["deployments"][0]["max_ongoing_requests"] = 7
    dashboard.run(configs)
    command = [RECONCILE, "drift", "--registry", str(folder)]
    bench.row(f"drift, {size} models, some changed", command, "plan of the same", plan)
    page = [*command, "--format", "html"]
    bench.row(f"drift, {size} models, as a page", page, "plan of the same", plan)


if __name__ == "__main__":
    main()

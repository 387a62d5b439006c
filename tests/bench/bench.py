"""Start-up, validate and plan, each against something everybody has: figures are ratios of CPU time in one run.

Commands are run in turn (A B A B ...) and medians compared, so that a busy machine slows both sides alike.
"""

import argparse
import contextlib
import functools
import http.server
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
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


@contextlib.contextmanager
def empty_dashboard() -> Iterator[str]:
    """A stand-in for a Ray dashboard with one big node and nothing deployed: what it answers costs us no Ray."""
    node = {
        "node_id": "n1",
        "state": "ALIVE",
        "resources_total": {"CPU": 1e6, "GPU": 1e6, "accelerator_type:L4": 1e3},
        "labels": {},
    }
    pages = {
        "/api/serve/applications/": {"applications": {}, "proxy_location": None, "http_options": None},
        "/api/ray/version": {"ray_version": "2.60.0"},
        "/api/version": {"ray_version": "2.60.0", "version": "4"},
        "/api/v0/nodes": {"result": True, "data": {"result": {"result": [node]}}},
        "/api/v0/actors": {"result": True, "data": {"result": {"result": []}}},
        "/api/cluster_status": {"result": True, "data": {"clusterStatus": {"loadMetricsReport": {"usageByNode": {}}}}},
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.split("?")[0])
            self.send_response(200 if page is not None else 404)
            self.end_headers()
            self.wfile.write(json.dumps(page).encode())

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
    ) -> None:
        """Medians of both after a warm-up, and their ratio. `prepare` goes before each run of the command."""
        ours: list[Cost] = []
        theirs: list[Cost] = []
        for _ in range(self.runs + 1):
            prepare()
            ours.append(cost(command, self.variables))
            theirs.append(cost(baseline, self.variables))
        mine, other = (statistics.median(each.seconds for each in side[1:]) for side in (ours, theirs))
        memory = max(each.megabytes for each in ours)
        print(
            f"{name:<36}{mine * 1000:>9.0f}{memory:>9.0f}{baseline_name:>32}{other * 1000:>9.0f}"
            f"{mine / other:>9.3f}{other / mine:>9.1f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100, 1000, 10000], help="models per registry")
    parser.add_argument("--runs", type=int, default=5, help="for each row; two for more than 1,000 models")
    parser.add_argument("--plan-limit", type=int, default=1000, help="largest registry that is planned")
    options = parser.parse_args()
    reconcile, python = str(BIN / "reconcile"), [sys.executable, "-c", "pass"]
    print(f"{'command':<36}{'CPU ms':>9}{'peak MB':>9}{'baseline':>32}{'CPU ms':>9}{'ratio':>9}{'1 in':>9}")
    with tempfile.TemporaryDirectory() as temporary, empty_dashboard() as address:
        variables = {"RECONCILER_CACHE_DIR": str(Path(temporary) / "cache")}
        Bench(variables, options.runs).row("reconcile --help", [reconcile, "--help"], "python -c pass", python)
        for size in options.sizes:
            bench = Bench(variables, options.runs if size <= 1000 else min(options.runs, 2))
            folder = registry(Path(temporary) / str(size), size, address)
            files = sorted(str(path) for path in folder.glob("*.yaml"))
            schema = str(ROOT / "schemas" / "model.schema.json")
            checker = [str(BIN / "check-jsonschema"), "--schemafile", schema, *files]
            name = f"check-jsonschema, {size} files"
            validate = [reconcile, "validate", "--registry", str(folder)]
            if size == 1:
                bench.row("validate, 1 model, unchanged", validate, "python -c pass", python)
                bench.row("validate, 1 model, first time", [*validate, "--no-cache"], "python -c pass", python)
            first = functools.partial(change, Path(files[0]))
            bench.row(f"validate, {size} models, unchanged", validate, name, checker)
            bench.row(f"validate, {size} models, one changed", validate, name, checker, first)
            bench.row(f"validate, {size} models, first time", [*validate, "--no-cache"], name, checker)
            if size <= options.plan_limit:
                bench.row(f"plan, {size} models", [reconcile, "plan", "--registry", str(folder)], name, checker)


main()

"""Start-up, validate and plan, each against something everybody has: figures are ratios of CPU time in one run.

Commands are run in turn (A B A B ...) and medians compared, so that a busy machine slows both sides alike.
"""

import argparse
import contextlib
import http.server
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
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


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run; the command must succeed."""
    # An installed command has its bytecode; the warm-up run of a checkout must be allowed to keep it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, env=environment)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{errors.decode()}")
    return usage.ru_utime + usage.ru_stime


def ratio(command: list[str], baseline: list[str], runs: int) -> tuple[float, float, float]:
    """Median CPU milliseconds of both commands, run in turn after a warm-up, and their ratio."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(runs + 1):
        for side, argv in enumerate((command, baseline)):
            seconds = cpu_seconds(argv)
            if turn:
                times[side].append(seconds * 1000)
    ours, theirs = (statistics.median(side) for side in times)
    return ours, theirs, ours / theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 100, 1000], help="models per generated registry")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    reconcile, python = str(BIN / "reconcile"), [sys.executable, "-c", "pass"]
    print(f"{'command':<34}{'CPU ms':>10}{'baseline':>32}{'CPU ms':>10}{'ratio':>9}")

    def row(name: str, command: list[str], baseline_name: str, baseline: list[str]) -> None:
        ours, theirs, factor = ratio(command, baseline, options.runs)
        print(f"{name:<34}{ours:>10.0f}{baseline_name:>32}{theirs:>10.0f}{factor:>9.3f}", flush=True)

    row("reconcile --help", [reconcile, "--help"], "python -c pass", python)
    with tempfile.TemporaryDirectory() as temporary, empty_dashboard() as address:
        for size in options.sizes:
            folder = registry(Path(temporary) / str(size), size, address)
            files = sorted(str(path) for path in folder.glob("*.yaml"))
            schema = str(ROOT / "schemas" / "model.schema.json")
            checker = [str(BIN / "check-jsonschema"), "--schemafile", schema, *files]
            name = f"check-jsonschema, {size} file(s)"
            row(f"validate, {size} model(s)", [reconcile, "validate", "--registry", str(folder)], name, checker)
            row(f"plan, {size} model(s)", [reconcile, "plan", "--registry", str(folder)], name, checker)


main()

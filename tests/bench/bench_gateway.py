"""The gateway against the ingress of `ray.serve.llm` and against `vllm serve`: the same tiny model, the same run.

A Ray cluster of its own is started, with the gateway and `ray.serve.llm` each before an engine of its own, and again
before a stub that answers at once, which shows what each costs by itself; `vllm serve` runs beside them. All sides are
asked in turns, so that a busy machine slows all alike, and a ratio is the median of the turns' own ratios.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from reconciler.registry.loader import load
from reconciler.serve.local.cluster import LocalCluster, down, up
from reconciler.serve.packages import Package, resolve_packages, zip_package
from reconciler.serve.rest import RestClient
from reconciler.state.desired import desired_state
from tests.support.deployed import CHAT, CLUSTER
from tests.support.vllm_serve import vllm_serve
from tests.support.world import World

MODEL = "local/tiny-chat"
STUB = "bench/stub"
NUM_CPUS = 0.2
ENGINE = {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 67108864}
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "TORCHDYNAMO_DISABLE": "1"}
GOALS = {"per_second": 0.95, "p50": 1.1}
"""At least so much of the requests per second of `ray.serve.llm`, and at most so much of its median latency."""


@dataclass
class Side:
    """One way to an engine, and what was measured."""

    name: str
    address: str
    model: str
    turns: list[dict[str, Any]] = field(default_factory=list)

    def turn(self, clients: int, seconds: float, stream: bool) -> None:
        """Ask for a while."""
        command = [sys.executable, str(Path(__file__).with_name("stress.py")), self.address, self.model]
        command += ["--clients", str(clients), "--seconds", str(seconds), *(["--stream"] if stream else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{self.name}: {done.stderr}")
        self.turns.append(json.loads(done.stdout))

    def quantile(self, what: str, share: float) -> float:
        """Milliseconds, of all turns together."""
        found = sorted(one for turn in self.turns for one in turn[what])
        return 1000 * found[min(len(found) - 1, int(share * len(found)))]

    def per_second(self) -> float:
        """Requests per second, the median of the turns."""
        return statistics.median(turn["per_second"] for turn in self.turns)


def ratio(ours: Side, theirs: Side, what: str) -> float:
    """Ours to theirs: the median of the turns' ratios."""
    measure = (
        (lambda turn: turn["per_second"]) if what == "per_second" else (lambda turn: statistics.median(turn[what]))
    )
    return statistics.median(
        measure(mine) / measure(other) for mine, other in zip(ours.turns, theirs.turns, strict=True)
    )


def compare(
    title: str, sides: list[Side], clients: int, options: argparse.Namespace, stream: bool, held: bool = True
) -> None:
    """Measure all sides in turns, and print a line for each, with its ratio to the second. `held`: the first is ours
    and held to the goals."""
    what = "streamed" if stream else "whole"
    print(f"\n{title}, {what} answers, {clients} at a time (load of the machine {os.getloadavg()[0]:.1f})", flush=True)
    for side in sides:
        side.turns.clear()
    for _ in range(options.turns):
        for side in random.sample(sides, len(sides)):
            side.turn(clients, options.seconds, stream)
    print(f"  {'':<34}{'per second':>11}{'p50 ms':>9}{'p99 ms':>9}{'first ms':>10}{'x rate':>9}{'x p50':>8}  goal")
    reference = sides[1]
    for side in sides:
        line = f"  {side.name:<34}{side.per_second():>11.1f}{side.quantile('took', 0.5):>9.1f}"
        line += f"{side.quantile('took', 0.99):>9.1f}{side.quantile('first', 0.5):>10.1f}"
        if side is not reference:
            rate, median = ratio(side, reference, "per_second"), ratio(side, reference, "took")
            line += f"{rate:>9.2f}{median:>8.2f}"
            if held and side is sides[0]:
                met = rate >= GOALS["per_second"] and median <= GOALS["p50"]
                line += f"  {'ok' if met else 'MISSED'} (rate {GOALS['per_second']}, p50 {GOALS['p50']})"
        print(line, flush=True)


def engines(cluster: LocalCluster, direct: bool) -> list[dict[str, Any]]:
    """`ray.serve.llm` with an engine of its own, and once more with direct streaming if it is wanted."""
    llm_config = {
        "model_loading_config": {"model_id": MODEL, "model_source": str(cluster.models_directory / "tiny-chat")},
        "engine_kwargs": {**ENGINE, "max_model_len": 1024},
        "deployment_config": {"ray_actor_options": {"num_cpus": 0}},
        "placement_group_config": {"bundles": [{"CPU": 0.75}]},
        "runtime_env": {"env_vars": ENVIRONMENT},
    }
    application = {"import_path": "ray.serve.llm:build_openai_app"}
    ingress = {"ray_actor_options": {"num_cpus": NUM_CPUS}}
    found = [
        {
            **application,
            "name": "ray-serve-llm",
            "route_prefix": "/ray",
            "args": {"llm_configs": [llm_config], "ingress_deployment_config": ingress},
        }
    ]
    if direct:
        variables = {"RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING": "1"}
        found.append(
            {
                **application,
                "name": "ray-serve-llm-direct",
                "route_prefix": "/direct",
                "args": {"llm_configs": [llm_config]},
                "runtime_env": {"env_vars": variables},
            }
        )
    return found


def stubs(package: str, direct: bool) -> list[dict[str, Any]]:
    """The stub behind the gateway and behind Ray's ingress, and with direct streaming if it is wanted."""
    kinds = [("stub", None, "build"), ("stub-ray", "/ray-stub", "build_behind_ray")]
    kinds += [("stub-direct", "/direct-stub", "build_direct")] if direct else []
    return [
        {
            "name": name,
            "route_prefix": prefix,
            "import_path": f"bench_stub:{builder}",
            "args": {"num_cpus": NUM_CPUS},
            "runtime_env": {"py_modules": [package]},
        }
        for name, prefix, builder in kinds
    ]


def ours(client: RestClient, registry: Path, stub_package: Package) -> list[dict[str, Any]]:
    """The gateway, which knows the stub too, and the tiny model."""
    (registry / "clusters").mkdir(parents=True)
    (registry / "clusters" / "local.yaml").write_text(CLUSTER)
    (registry / "local--tiny-chat.yaml").write_text(CHAT.replace(', VLLM_ENABLE_V1_MULTIPROCESSING: "0"', ""))
    found = load(registry)
    if found.registry is None:
        sys.exit(str(found.diagnostics))
    entry = found.registry.clusters[0]
    packages, uploads = resolve_packages(entry.cluster)
    for package in (*uploads, stub_package):
        client.upload_package(package.name, package.content)
    desired = desired_state(found.registry, entry, packages)
    configs: list[dict[str, Any]] = [
        json.loads(json.dumps(dict(one.application.config))) for one in desired.applications
    ]
    gateway = next(config for config in configs if config["name"] == "gateway")
    route = {"application": "stub", "deployment": "LLMServer:bench--stub", "kind": "generation"}
    gateway["deployments"][0]["user_config"]["models"][STUB] = route
    return configs


@contextmanager
def running(folder: Path, data_plane: str, *, with_engines: bool) -> Iterator[LocalCluster]:
    """A cluster on which everything runs."""
    folder.mkdir()
    cluster = up(folder / "ray", auth="disabled", num_cpus=16, data_plane=data_plane)
    try:
        direct = data_plane == "haproxy"
        stub = zip_package("bench-stub", Path(__file__).parent / "stub_app" / "bench_stub")
        with RestClient(cluster.dashboard_address) as client:
            configs = ours(client, folder / "registry", stub) + stubs(stub.uri, direct)
            if with_engines:
                configs += engines(cluster, direct)
            else:
                configs = [config for config in configs if config["name"] != "local--tiny-chat"]
            world = World(client, client)
            world.put(configs)
            state = world.settle(900.0)
            if {one.status for one in state.applications} != {"RUNNING"}:
                sys.exit(str(state.applications))
        yield cluster
    finally:
        down(folder / "ray")


def with_vllm(folder: Path, data_plane: str, options: argparse.Namespace) -> None:
    """The tables of the gateway, `ray.serve.llm` and `vllm serve`, before the tiny model and before the stub."""
    with running(folder, data_plane, with_engines=True) as cluster:
        ray = cluster.gateway_address
        arguments = ("--served-model-name", MODEL, "--max-model-len", "1024", "--disable-uvicorn-access-log")
        with vllm_serve(cluster.models_directory / "tiny-chat", folder / "vllm.log", *arguments) as served:
            served.wait()
            engine = [Side("gateway", ray, MODEL), Side("ray.serve.llm", f"{ray}/ray", MODEL)]
            stub = [Side("gateway", ray, STUB), Side("ingress of ray.serve.llm", f"{ray}/ray-stub", STUB)]
            if data_plane == "haproxy":
                engine.append(Side("ray.serve.llm, direct streaming", f"{ray}/direct", MODEL))
                stub.append(Side("direct streaming", f"{ray}/direct-stub", STUB))
            engine.append(Side("vllm serve", served.address, MODEL))
            for stream in (False, True):
                for clients in options.clients:
                    compare(f"vLLM, data plane {data_plane}", engine, clients, options, stream)
                for clients in options.clients:
                    compare(f"a stub for an engine, data plane {data_plane}", stub, clients, options, stream)


def data_planes(folder: Path, options: argparse.Namespace) -> None:
    """The tables of both data planes, before the stub."""
    with (
        running(folder / "proxy", "proxy", with_engines=False) as proxy,
        running(folder / "haproxy", "haproxy", with_engines=False) as haproxy,
    ):
        sides = [
            Side("gateway, HAProxy", haproxy.gateway_address, STUB),
            Side("gateway, Serve's proxy", proxy.gateway_address, STUB),
            Side("ray.serve.llm, HAProxy", f"{haproxy.gateway_address}/ray-stub", STUB),
            Side("ray.serve.llm, Serve's proxy", f"{proxy.gateway_address}/ray-stub", STUB),
            Side("direct streaming, HAProxy", f"{haproxy.gateway_address}/direct-stub", STUB),
        ]
        for stream in (False, True):
            for clients in options.clients:
                compare("a stub for an engine, both data planes", sides, clients, options, stream, held=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--data-plane", choices=("proxy", "haproxy", "both"), default="proxy")
    options = parser.parse_args()
    os.environ["RAY_AUTH_MODE"] = "disabled"
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="rb") as temporary:
        if options.data_plane == "both":
            data_planes(Path(temporary), options)
        else:
            with_vllm(Path(temporary) / "run", options.data_plane, options)


if __name__ == "__main__":
    main()

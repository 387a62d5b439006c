"""A drift report with something of everything, for the page that people look at and for the picture in the README."""

from dataclasses import replace
from typing import Any

from reconciler.diagnostics import Position
from reconciler.drift.report import (
    DriftField,
    DriftReport,
    Expected,
    Finding,
    FindingKind,
    Ignored,
    Member,
    Origin,
    Severity,
    Standing,
    observed,
)
from reconciler.plan.change import Impact
from reconciler.state.accelerators import Accelerator
from tests.support import samples

_WEIGHTS = "9a8f3c21d4e5b6f7a8b9c0d1e2f3a4b5c6d7e8f9"
_LLAMA, _MISTRAL, _QWEN, _BIG = (
    "meta-llama--Llama-3.3-70B-Instruct",
    "mistralai--Mistral-Small-3.2-24B-Instruct-2506",
    "Qwen--Qwen3-8B",
    "Qwen--Qwen3-32B",
)


def _member(name: str, standing: Standing, count: int, gpus: float, kind: str | None, **more: Any) -> Member:
    is_gateway = name == "gateway"
    runs = count > 0 and not is_gateway
    fields: dict[str, Any] = {
        "application": name,
        "model_id": None if is_gateway else name.replace("--", "/"),
        "standing": standing,
        "status": "RUNNING",
        "running": count,
        "target": count,
        "min_replicas": 1,
        "max_replicas": 4,
        "gpus": gpus,
        "accelerator": kind,
        "position": None if is_gateway else Position(f"registry/{name}.yaml", 1, 1),
        "versions": {"ray": ("2.60.0",), "vllm": ("0.29.0",)} if runs else {},
        "revisions": (_WEIGHTS,) if runs else (),
    }
    return Member(**{**fields, **more})


def _field(path: str, live: Any, registry: Any, origin: Origin, applied: Any = None, **sides: bool) -> DriftField:
    in_place = path.startswith("deployments")
    change = samples.field(path, live, registry, Impact.IN_PLACE if in_place else Impact.ROLLING_RESTART, **sides)
    return DriftField(change, origin, applied, applied is not None)


_FLEET = (
    _member("gateway", Standing.IN_SYNC, 2, 0.0, None, min_replicas=2, max_replicas=2),
    _member("BAAI--bge-m3", Standing.IN_SYNC, 2, 0.25, "L4"),
    _member(_LLAMA, Standing.IN_SYNC, 1, 4.0, "A100-80G", max_replicas=2),
    _member(_MISTRAL, Standing.DRIFTED, 2, 2.0, "A100-80G"),
    _member("openai--gpt-oss-20b", Standing.PENDING, 1, 1.0, "L4"),
    _member(_BIG, Standing.FAILING, 0, 2.0, "A100-80G", status="UNHEALTHY", target=1, max_replicas=2),
    _member(_QWEN, Standing.DRIFTED, 2, 1.0, "L4"),
)
_FINDINGS = (
    Finding(
        FindingKind.CLUSTER,
        "",
        "1 node lost and not replaced: `4f1d0c9a77be` (10.0.3.17, 2 A100-80G, Unexpected termination: health check "
        "failed due to missing too many heartbeats)",
        "bring the nodes back, or take them out of the cluster for good",
        Severity.WARNING,
        Origin.CLUSTER,
        (observed("nodes.lost", 1, 0),),
        since="2026-03-01T03:12:09+00:00",
    ),
    Finding(
        FindingKind.HEALTH,
        _BIG,
        "UNHEALTHY: replica 1wq0n2 failed its health check: CUDA error: uncorrectable ECC error encountered",
        "Ray starts ill replicas again by itself; if it stays so, look into their logs",
        Severity.ERROR,
        Origin.CLUSTER,
        position=Position(f"registry/{_BIG}.yaml", 1, 1),
    ),
    Finding(
        FindingKind.CONFIG,
        _QWEN,
        "3 fields changed on the cluster behind the registry's back",
        "`reconcile apply` brings the registry's back; `reconcile drift --accept` keeps what is live",
        Severity.WARNING,
        Origin.CLUSTER,
        (
            _field(f"deployments[LLMServer:{_QWEN}].max_ongoing_requests", 3, 64, Origin.CLUSTER),
            _field(f"deployments[LLMServer:{_QWEN}].autoscaling_config.max_replicas", 2, 4, Origin.CLUSTER),
            _field("runtime_env.env_vars.HF_TOKEN", "(hidden)", "(hidden)", Origin.CLUSTER),
        ),
        Position(f"registry/{_QWEN}.yaml", 4, 1),
        "2026-02-28T22:40:03+00:00",
    ),
    Finding(
        FindingKind.CONFIG,
        _MISTRAL,
        "2 fields changed on the cluster and in the registry",
        "look at both: `reconcile apply` overwrites what is live, `reconcile drift --accept` keeps it",
        Severity.ERROR,
        Origin.BOTH,
        (
            _field("args.llm_config.engine_kwargs.gpu_memory_utilization", 0.95, 0.92, Origin.BOTH, 0.9),
            _field("args.llm_config.engine_kwargs.seed", 7, None, Origin.CLUSTER, after_set=False),
        ),
        Position(f"registry/{_MISTRAL}.yaml", 9, 3),
        "2026-02-27T18:01:55+00:00",
    ),
    Finding(
        FindingKind.RUNNING,
        _MISTRAL,
        "its replicas have loaded different revisions of the weights",
        "name a commit in `engine_kwargs.revision`, then `reconcile apply` replaces the replicas",
        Severity.WARNING,
        Origin.CLUSTER,
        (observed("weights.revision", "2a1b3c4d5e6f, 9a8f3c21d4e5", None),),
        Position(f"registry/{_MISTRAL}.yaml", 1, 1),
    ),
    Finding(
        FindingKind.CONFIG,
        "openai--gpt-oss-20b",
        "1 field merged and not applied yet",
        "`reconcile apply` carries out what was merged",
        Severity.NOTE,
        Origin.REGISTRY,
        (
            _field(
                "deployments[LLMServer:openai--gpt-oss-20b].autoscaling_config.max_replicas", 2, 4, Origin.REGISTRY, 2
            ),
        ),
        Position("registry/openai--gpt-oss-20b.yaml", 11, 3),
    ),
    Finding(FindingKind.UNMANAGED, "notebook-gateway", "deployed by somebody else", "", Severity.NOTE),
)

REPORT = DriftReport(
    "production",
    _FINDINGS,
    tuple(member.application for member in _FLEET if member.standing is Standing.IN_SYNC),
    expected=(
        Expected("BAAI--bge-m3", "replicas", "the autoscaler runs 2 replicas of 1 to 4"),
        Expected(_QWEN, f"deployments[LLMServer:{_QWEN}].max_surge_percent", "left by the last rollout; says only how"),
    ),
    ignored=(
        Ignored(
            Finding(FindingKind.SCALE, _LLAMA, "Ray aims at 3 replicas; the registry allows 1 to 2", "", Severity.NOTE),
            "a test of load, until Friday",
        ),
    ),
    fleet=_FLEET,
    accelerators=(Accelerator("A100-80G", 16, 10, 8, 16), Accelerator("L4", 8, 3.5, 2.25, 9)),
    applied_commit="3f1c8a52be07" + "0" * 28,
    applied_time="2026-02-27T16:12:44+00:00",
    registry_commit="d7dddd92e3b5" + "0" * 28,
    ray_version="2.60.0",
    time="2026-03-01T05:17:31+00:00",
)

EARLIER = tuple(
    replace(REPORT, time=f"2026-02-{day:02}T05:17:00+00:00", findings=found)
    for day, found in ((24, ()), (25, _FINDINGS[2:3]), (26, _FINDINGS[1:4]), (27, ()), (28, _FINDINGS[2:5]))
)

"""A DriftReport as metrics in Prometheus' text format, for the textfile collector of the node exporter."""

from collections import Counter
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from reconciler.drift.report import DriftReport, Standing


def drift_prometheus(report: DriftReport) -> str:
    """Findings by kind, severity and origin, how each application stands, and the GPUs; all gauges."""
    registry = CollectorRegistry()
    cluster = report.cluster

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"reconciler_{name}", text, ("cluster", *labels), registry=registry)

    drift = gauge("drift", "1 where the cluster is not as the registry says, else 0")
    drift.labels(cluster).set(report.has_drift)
    findings = gauge("drift_findings", "Findings of the last drift report", "kind", "severity", "origin")
    kinds = Counter((one.kind.value, one.severity.value, one.origin.value) for one in report.findings)
    for labels, count in sorted(kinds.items()):
        findings.labels(cluster, *labels).set(count)
    gauge("drift_ignored", "Findings that the cluster file says to ignore").labels(cluster).set(len(report.ignored))
    standing = gauge("application_standing", "1 for how an application stands", "application", "standing")
    replicas = gauge("application_replicas", "Replicas that serve", "application")
    target = gauge("application_replicas_target", "Replicas that Ray aims at", "application")
    for member in report.fleet:
        for one in Standing:
            standing.labels(cluster, member.application, one.value).set(member.standing is one)
        replicas.labels(cluster, member.application).set(member.running)
        target.labels(cluster, member.application).set(member.target)
    gpus = gauge("gpus", "GPUs by type: there, in use, wanted at the lower and the upper bounds", "type", "what")
    for kind in report.accelerators:
        for what, amount in (("total", kind.total), ("used", kind.used), ("floor", kind.wanted)):
            gpus.labels(cluster, kind.type, what).set(amount)
        gpus.labels(cluster, kind.type, "ceiling").set(kind.ceiling)
    if report.time is not None:
        made = gauge("drift_report_timestamp_seconds", "When the cluster was read, Unix time")
        made.labels(cluster).set(datetime.fromisoformat(report.time).timestamp())
    return generate_latest(registry).decode()

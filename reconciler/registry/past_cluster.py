"""A cluster's settings for a rollback: where it is today, and what ran there then."""

from dataclasses import replace

from reconciler.registry.registry import ClusterEntry

FROM_THEN = ("default", "runtime_packages")
"""Which models are the cluster's, and which code they run."""
GATEWAY_FROM_THEN = ("replicas", "num_cpus")
"""How large the gateway is. Who may ask it is decided today: a key that was withdrawn since must not come back."""


def as_it_was(now: ClusterEntry, then: ClusterEntry) -> ClusterEntry:
    """The cluster with the settings of then that become part of applications. All others are those of now: address,
    token, where the gateway answers, and what the cluster has and costs are facts of today."""
    gateway = now.cluster.gateway.model_copy(
        update={name: getattr(then.cluster.gateway, name) for name in GATEWAY_FROM_THEN}
    )
    settings = {name: getattr(then.cluster, name) for name in FROM_THEN}
    return replace(then, cluster=now.cluster.model_copy(update={**settings, "gateway": gateway}))

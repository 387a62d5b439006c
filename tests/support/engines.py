"""Models of the registry on real Ray, behind the real gateway: from files to answers."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from reconciler.registry.loader import load
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.packages import needed, resolve_packages
from reconciler.serve.rest import RestClient
from reconciler.serve.work import read_work
from reconciler.state.desired import DesiredState, desired_state
from reconciler.state.names import application_name
from reconciler.state.work import ReplicaWork, UnknownWork
from tests.support.world import World

CLUSTER = "owner: tests\ndefault: true\nlocal: true\ngateway: {num_cpus: 0.1}\n"
START_LIMIT_S = 600.0


@dataclass
class Fleet:
    """The models of one registry folder, on a cluster."""

    folder: Path
    cluster: LocalCluster
    client: RestClient
    http: httpx.Client

    @property
    def world(self) -> World:
        """The cluster."""
        return World(self.client, self.client)

    def write(self, **files: str) -> None:
        """Model files by name, `__` for `--`; nothing where the text is empty."""
        (self.folder / "clusters").mkdir(parents=True, exist_ok=True)
        (self.folder / "clusters" / "local.yaml").write_text(CLUSTER)
        for name, text in files.items():
            file = self.folder / f"{name.replace('__', '--').replace('_', '-')}.yaml"
            file.write_text(text) if text else file.unlink()

    def desired(self) -> DesiredState:
        """What the registry calls for; its code is uploaded. The files have to be right."""
        found = load(self.folder)
        errors = [each for each in found.diagnostics if each.severity == "error"]
        assert found.registry is not None and not errors, found.diagnostics
        cluster = found.registry.clusters[0]
        uris, uploads = resolve_packages(cluster.cluster)
        desired = desired_state(found.registry, cluster, uris)
        for package in needed(uploads, desired):
            self.client.upload_package(package.name, package.content)
        return desired

    def apply(self, *, running: bool = True) -> dict[str, tuple[str, str]]:
        """Deploy what the registry calls for and wait; the status of each application, and all messages about it."""
        self.world.put(entry.application.config for entry in self.desired().applications)
        state = self.world.settle(START_LIMIT_S)
        found = {
            one.name: (str(one.status), "\n".join([one.message, *(part.message for part in one.deployments)]))
            for one in state.applications
        }
        assert not running or {status for status, _ in found.values()} == {"RUNNING"}, found
        return found

    def replica_ids(self, model_id: str) -> tuple[str, ...]:
        """The running replicas of a model."""
        live = self.world.state().application(application_name(model_id))
        return live.replica_ids if live else ()

    def work(self, model_id: str) -> tuple[ReplicaWork, ...]:
        """What the replicas of a model say of themselves."""
        found = read_work(self.cluster.gateway_address)
        assert not isinstance(found, UnknownWork), found
        said = found.of(application_name(model_id))
        assert not isinstance(said, UnknownWork), said
        return said

    def ongoing(self, model_id: str) -> int:
        """Requests that the replicas of a model are answering."""
        return sum(one.ongoing for one in self.work(model_id))

    def post(self, path: str, fields: Mapping[str, Any]) -> httpx.Response:
        """A request to the gateway."""
        return self.http.post(path, json=dict(fields))


@contextmanager
def fleet(cluster: LocalCluster, client: RestClient, folder: Path) -> Iterator[Fleet]:
    """A fleet on the cluster, with nothing there before and after."""
    world = World(client, client)
    world.apply([])
    with httpx.Client(base_url=cluster.gateway_address, timeout=120) as http:
        yield Fleet(folder, cluster, client, http)
    world.apply([])


def wait_until(condition: Callable[[], Any], limit_s: float = 60.0) -> None:
    """Ask again until it is so."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.1)

"""One rig on the run's cluster for the tests of this folder. A version that a test gives a model is no other test's."""

from collections.abc import Iterator
from itertools import count

import pytest

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from tests.support.ray_rig import RayRig, ray_rigged

VERSIONS = count(2)


@pytest.fixture(scope="package")
def rig(ray_cluster: LocalCluster, client: RestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayRig]:
    """Two models, their gateway and a neighbour, running."""
    with ray_rigged(ray_cluster, client, tmp_path_factory.mktemp("rig") / "registry", "chat", "other") as rig:
        yield rig

"""The deployment that these tests share."""

from collections.abc import Iterator

import pytest

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from tests.support.deployed import Deployed, deployed


@pytest.fixture(scope="package")
def tiny(ray_cluster: LocalCluster, client: RestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The chat model, the embedding model and the gateway, running."""
    with deployed(ray_cluster, client, tmp_path_factory.mktemp("tiny") / "registry") as found:
        yield found

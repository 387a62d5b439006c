"""One cluster of several nodes for the tests of this folder."""

from collections.abc import Iterator

import pytest

from reconciler.serve.local.record import LocalCluster
from tests.conftest import AUTH
from tests.support.nodes import cluster_of_nodes


@pytest.fixture(scope="package")
def cluster_of_four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A head and three unlike nodes with logical GPUs."""
    with cluster_of_nodes(tmp_path_factory.mktemp("nodes"), auth=AUTH) as found:
        yield found

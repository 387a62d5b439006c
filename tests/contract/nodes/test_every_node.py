"""A replica whose workers are on several nodes has its weights on each of them, or says which one has not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.serve.local import node
from reconciler.serve.local.record import LocalCluster

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def story(cluster_of_four: LocalCluster) -> Any:
    found = cluster_of_four
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.each_node", found.gcs_address],
        env=node.environment(found.auth, found.token_file, found.models_directory),
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=300,
    )
    [answer] = [line for line in ran.stdout.splitlines() if line.startswith("answer:")] or [ran.stderr]
    return json.loads(answer.removeprefix("answer:"))


def test_it_is_done_on_the_own_node_first_and_on_each_other(story: Any) -> None:
    nodes = [node_id for node_id, _ in story["found"]]
    assert nodes[0] == story["own"]
    assert len(set(nodes)) == len(nodes) == 2
    assert {word for _, word in story["found"]} == {"hello"}


def test_what_fails_on_another_node_is_the_same_error(story: Any) -> None:
    assert "the path `/models/chat` does not exist on this node" in story["failure"]

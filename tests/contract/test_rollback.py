"""Going back on real Ray, with requests all the time: what ran at the earlier commit runs again, and nobody noticed."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.plan.diff import comparable
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.provenance import history, load_seconds
from tests.support.cli import Ran
from tests.support.ray_rig import RayRig, ray_rigged
from tests.support.repository import commit, git

pytestmark = pytest.mark.ray
OWNER = "rig"


@dataclass
class Answers:
    """What a model answered: the version of each answer, in order, and what failed."""

    versions: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@contextmanager
def asking(address: str, model_id: str) -> Iterator[Answers]:
    """Asks a model again and again, two requests at a time."""
    end, answers = threading.Event(), Answers()

    def ask() -> None:
        with httpx.Client(timeout=30) as http:
            while not end.wait(0.05):
                try:
                    answer = http.post(f"{address}/v1/chat/completions", json={"model": model_id, "messages": []})
                    answer.raise_for_status()
                    answers.versions.append(answer.json()["version"])
                except httpx.HTTPError as error:
                    answers.failures.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        end.set()
        for thread in threads:
            thread.join()


def submitted(state: LiveState) -> dict[str, Any]:
    """The configs of ours, but for what the gateway remembers and how they were rolled out."""
    return {
        entry.name: comparable(entry.application, state.global_logging_config)
        for entry in state.applications
        if entry.application and entry.application.owner == OWNER
    }


@dataclass(frozen=True)
class Story:
    """Two commits applied, then one rollback with requests all the time."""

    first: str
    second: str
    at_first: LiveState
    at_second: LiveState
    ran: Ran
    answers: Answers
    after: LiveState
    rig: RayRig


@pytest.fixture(scope="module")
def story(ray_cluster: LocalCluster, client: RestClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The second commit restarts a model, changes one in place and brings a third."""
    top = tmp_path_factory.mktemp("repository")
    git(top, "init", "-q")
    with ray_rigged(ray_cluster, client, top / "registry") as rig:
        rig.write("chat")
        rig.write("other")
        first = commit(top, "Two models")
        assert rig.apply().code == 0
        at_first = rig.live()
        rig.write("chat", version=2)
        rig.write("other", ongoing=9)
        rig.write("third")
        second = commit(top, "Change two, add one")
        assert rig.apply().code == 0
        at_second = rig.live()
        assert rig.application("acme--third").status is ApplicationStatus.RUNNING
        with asking(ray_cluster.gateway_address, "acme/chat") as answers:
            ran = rig.run("rollback", "--auto-approve")
        yield Story(first, second, at_first, at_second, ran, answers, rig.live(), rig)


def test_what_is_submitted_is_what_was(story: Story) -> None:
    assert story.ran.code == 0, story.ran
    assert submitted(story.at_first) == submitted(story.after) != submitted(story.at_second)
    assert story.after.application("acme--third") is None


def test_no_request_failed_on_the_way_back(story: Story) -> None:
    assert story.answers.failures == []
    assert len(story.answers.versions) > 20
    assert story.answers.versions[0] == 2
    assert story.answers.versions[-1] == 1


def test_only_what_has_to_is_restarted(story: Story) -> None:
    for name in ("gateway", "acme--other", "neighbour"):
        before, after = story.at_second.application(name), story.after.application(name)
        assert before is not None and after is not None
        assert before.replica_ids == after.replica_ids != ()
    before, after = story.at_second.application("acme--chat"), story.after.application("acme--chat")
    assert before is not None and after is not None
    assert set(before.replica_ids).isdisjoint(after.replica_ids)


def test_everything_runs_and_is_remembered(story: Story) -> None:
    assert {entry.status for entry in story.after.applications} == {ApplicationStatus.RUNNING}
    back, later, earlier = history(story.after, OWNER)
    assert (back.commit, back.rolled_back_from, back.is_rollback) == (story.first, story.second, True)
    assert back.left == earlier.left != later.left
    assert all(record.ended_well for record in (back, later, earlier))
    assert load_seconds(story.after).keys() == {"gateway", "acme--chat", "acme--other"}


def test_history_plan_and_drift_tell_the_truth(story: Story) -> None:
    told = json.loads(story.rig.run("history", "--format", "json").out)
    assert [entry["runs_now"] for entry in told["applies"]] == [True, False, False]
    assert [entry["commit"] for entry in told["merged_since"]] == [story.second]
    plan = story.rig.run("plan")
    assert f"the cluster was rolled back to commit {story.first[:12]} by " in plan.out
    assert story.rig.run("drift", "--detailed-exitcode").code == 2
    assert "Nothing to do" in story.rig.run("rollback", "--dry-run", "--to", story.first).out


def test_what_it_advises_makes_it_last(story: Story) -> None:
    top = Path(story.rig.root.parent)
    assert f"to make the rollback last: git revert --no-edit {story.second[:12]}\n" in story.ran.out
    git(top, "revert", "--no-edit", story.second)
    again = story.rig.apply()
    assert (again.code, "Nothing to do" in again.out) == (0, True), again

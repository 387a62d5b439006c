"""A plan that is short of room, on a cluster that says what is in use as it was some seconds ago."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import NEIGHBOUR, run, write_registry
from tests.support.fake_serve import FakeServe
from tests.support.rollbacks import apply

LARGE = {**NEIGHBOUR, "deployments": [{"name": "App", "ray_actor_options": {"num_cpus": 2.0}}]}
"""Somebody else's application, as large as a model."""
CPUS = 7.0
"""What two models, the gateway and the neighbour take."""


@pytest.fixture
def full(registry: Path) -> Iterator[FakeServe]:
    """A cluster that two models, the gateway and a neighbour fill, whose monitor looks at it now and every five
    seconds. Then the neighbour leaves."""
    serve = FakeServe({"node-1": {"CPU": CPUS}})
    serve.intrude({"applications": [LARGE]})
    serve.settle()
    apply(serve)
    serve.looks_every_s = 5.0
    live = serve.settle()
    assert sum(node.used["CPU"] for node in live.nodes) == CPUS
    ours = [entry.application.config for entry in live.applications if entry.application and entry.name != "neighbour"]
    serve.intrude({**live.options, "applications": ours})
    serve.advance(4.0)
    write_registry(registry, "chat", "other", "third")
    yield serve


def test_what_has_stopped_since_the_cluster_looked_holds_nothing(full: FakeServe) -> None:
    begun = full.now
    ran = run("plan", serve=full)
    assert (ran.code, ran.err) == (0, "")
    assert "Plan: 1 to create, 1 to update in place" in ran.out
    assert full.now - begun <= 5.0


def test_what_is_still_there_when_it_has_looked_anew_holds(full: FakeServe) -> None:
    full.intrude({"applications": full.puts[-1]["applications"]})
    full.settle()
    ran = run("plan", serve=full)
    assert "does-not-fit-now" in ran.out


def test_a_cluster_that_does_not_look_any_more_is_told_of(full: FakeServe) -> None:
    full.looks_every_s = 1e9
    ran = run("plan", serve=full)
    assert "Plan: 1 held" in ran.out
    assert "the cluster has not said anew for 15 s what is in use" in ran.err


def test_nobody_waits_where_there_is_room(registry: Path, serve: FakeServe) -> None:
    serve.looks_every_s = 5.0
    begun = serve.now
    assert run("plan", serve=serve).code == 0
    assert serve.now == begun


def test_a_saved_plan_is_made_again_from_what_is_in_use_then(full: FakeServe) -> None:
    assert run("plan", "--out", "plan.json", serve=full).code == 0
    ran = run("apply", "plan.json", serve=full)
    assert ran.code == 0, ran

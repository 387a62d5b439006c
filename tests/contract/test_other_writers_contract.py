"""Who else wrote: told by the fake as it is by the log of a real dashboard."""

from collections.abc import Iterator

import pytest

from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config
from tests.support.world import World

MINE = {"mine": light_config("mine")}
EDITED = light_config("mine", options={"max_ongoing_requests": 9})


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def worlds(request: pytest.FixtureRequest) -> Iterator[tuple[World, World]]:
    """Two writers to one cluster, where an application runs."""
    if request.param == "fake":
        fake = FakeServe()
        mine, theirs = World(fake, fake, fake.advance), World(fake, Somebody(fake), fake.advance)
        mine.apply(MINE.values())
        yield mine, theirs
        return
    world: World = request.getfixturevalue("ray_world")
    cluster: LocalCluster = request.getfixturevalue("ray_cluster")
    with RestClient(cluster.dashboard_address, token=cluster.token) as client:
        world.apply(MINE.values())
        yield world, World(client, client)


class Somebody:
    """Somebody else's way into the fake."""

    def __init__(self, fake: FakeServe) -> None:
        self._fake = fake

    def put(self, document: object) -> None:
        self._fake.intrude(document)  # type: ignore[arg-type]

    def upload_package(self, name: str, content: bytes) -> None:
        """Nothing of the kind."""


def test_alone_nobody_is_named(worlds: tuple[World, World]) -> None:
    mine, _ = worlds
    mine.put(MINE.values())
    assert mine.reader.other_writers() == ()


def test_whoever_writes_between_the_read_and_the_put_is_named(worlds: tuple[World, World]) -> None:
    mine, theirs = worlds
    body = {**mine.state().options, "applications": list(MINE.values())}
    theirs.writer.put({**body, "applications": [EDITED]})
    mine.writer.put(body)
    mine.state()
    [named] = mine.reader.other_writers()
    assert named == "somebody" or "with reconciler/" in named


def test_whoever_wrote_before_the_read_is_not(worlds: tuple[World, World]) -> None:
    mine, theirs = worlds
    theirs.put(MINE.values())
    mine.put(MINE.values())
    assert mine.reader.other_writers() == ()

"""What reading and writing a Ray Serve cluster means, on the fake and on real Ray alike.

Starting replicas is slow, so each world lives through one story, `Story`, whose steps put many applications at once;
every test looks at one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from reconciler.serve import http_client
from reconciler.serve.errors import PutRefused
from reconciler.serve.local.cluster import LocalCluster
from reconciler.serve.rest import RestClient
from reconciler.state.json_value import same
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveState, UnknownState
from tests.support.fake_serve import FakeServe
from tests.support.light import light_config, light_package
from tests.support.world import World

SURGE = {"max_surge_percent": 100}
FAILURE = "told to fail by the contract"

BEFORE = {
    "bystander": light_config("bystander", env={"SECRET": "hush-hush"}, route_prefix="/bystander"),
    "edited": light_config("edited", args={"text": "one"}),
    "surged": light_config("surged", args={"text": "one"}),
    "failing": light_config("failing", args={"text": "one"}),
    "unbuildable": light_config("unbuildable", args={"text": "one"}),
    "misnamed": light_config("misnamed", args={"text": "one"}),
    "numbers": light_config("numbers", options={"ray_actor_options": {"num_cpus": 1, "num_gpus": 0}}),
    "unlisted": light_config("unlisted"),
}
AFTER = {
    **BEFORE,
    "edited": light_config("edited", args={"text": "two"}),
    "surged": light_config("surged", args={"text": "two", "startup_s": 2}, options=SURGE),
    "failing": light_config("failing", args={"text": "one", "fail": FAILURE, "retries": 20}, options=SURGE),
    "unbuildable": light_config("unbuildable", args={"text": "one", "build_fail": FAILURE}, options=SURGE),
    "misnamed": {**BEFORE["misnamed"], "deployments": [{"name": "Nobody", "max_ongoing_requests": 3}]},
}
del AFTER["unlisted"]
REPAIRED = {**BEFORE, "edited": AFTER["edited"], "surged": light_config("surged", args=AFTER["surged"]["args"])}
del REPAIRED["unlisted"]


@dataclass(frozen=True)
class Story:
    """What was seen after each step."""

    first: LiveState
    """Everything of `BEFORE` runs."""
    again: LiveState
    """The same was PUT once more."""
    during: tuple[LiveState, ...]
    """Seen on the way to `edited`."""
    edited: LiveState
    """`AFTER` was PUT: edits, a failure, and one application less."""
    repaired: LiveState
    """`REPAIRED` was PUT: the failing ones back as they were, the surge option dropped."""


@pytest.fixture(scope="module", params=["fake", pytest.param("ray", marks=pytest.mark.ray)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The fake and the real thing."""
    if request.param == "fake":
        fake = FakeServe()
        yield World(fake, fake, fake.advance)
    else:
        yield request.getfixturevalue("ray_world")


@pytest.fixture(scope="module")
def story(world: World) -> Story:
    """Live through it once."""
    first = world.apply(BEFORE.values())
    again = world.apply(BEFORE.values())
    world.history.clear()
    edited = world.apply(AFTER.values())
    during = tuple(world.history)
    repaired = world.apply(REPAIRED.values())
    return Story(first, again, during, edited, repaired)


def application(state: LiveState, name: str) -> LiveApplication:
    """The application of that name, which has to be there."""
    found = state.application(name)
    assert found is not None, name
    return found


def ids(state: LiveState, name: str) -> tuple[str, ...]:
    """The running replicas of an application."""
    return application(state, name).replica_ids


def test_every_application_runs_with_one_replica(story: Story) -> None:
    seen = {live.name: (live.status, len(live.replica_ids)) for live in story.first.applications}
    assert seen == dict.fromkeys(BEFORE, (ApplicationStatus.RUNNING, 1))


def test_what_was_put_comes_back_with_numbers_normalised(story: Story) -> None:
    for name, config in BEFORE.items():
        live = application(story.first, name)
        assert live.declarative
        assert live.application is not None
        assert same(dict(live.application.config), config)
    numbers = application(story.first, "numbers").application
    assert numbers is not None
    assert str(numbers.deployments["Light"]["ray_actor_options"]["num_cpus"]) == "1.0"


def test_the_same_put_again_changes_nothing(story: Story) -> None:
    assert story.again.fingerprint == story.first.fingerprint
    for name in BEFORE:
        assert ids(story.again, name) == ids(story.first, name)


def test_every_put_is_the_newest_deployment_of_all_it_lists(story: Story) -> None:
    for name in BEFORE:
        assert application(story.again, name).last_deployed_s > application(story.first, name).last_deployed_s


def test_an_application_that_the_document_does_not_list_is_deleted(story: Story) -> None:
    assert story.edited.application("unlisted") is None
    leaving = [state.application("unlisted") for state in story.during]
    assert any(live is not None and live.status is ApplicationStatus.DELETING for live in leaving)


def test_changed_args_replace_the_replicas_of_that_application_alone(story: Story) -> None:
    assert application(story.edited, "edited").status is ApplicationStatus.RUNNING
    assert set(ids(story.edited, "edited")).isdisjoint(ids(story.first, "edited"))
    for name in ("bystander", "numbers"):
        assert ids(story.edited, name) == ids(story.first, name)


def test_an_application_shows_no_deployments_while_it_is_built(story: Story) -> None:
    building = [application(state, "edited") for state in story.during]
    assert any(live.status is ApplicationStatus.DEPLOYING and not live.deployments for live in building)


def test_surge_keeps_the_old_replica_until_the_new_one_runs(story: Story) -> None:
    (old,), (new,) = ids(story.first, "surged"), ids(story.edited, "surged")
    assert old != new
    shown = [live for state in story.during if (live := application(state, "surged")).deployments]
    assert all(live.replica_ids for live in shown)
    states = [{replica.replica_id: replica.state for replica in live.deployments[0].replicas} for live in shown]
    assert any(seen.get(old) == "RUNNING" and seen.get(new) == "STARTING" for seen in states)


def test_dropping_the_surge_option_later_restarts_nothing(story: Story) -> None:
    assert ids(story.repaired, "surged") == ids(story.edited, "surged")


def test_a_replica_that_cannot_start_fails_the_update_and_leaves_the_old_one(story: Story) -> None:
    failed = application(story.edited, "failing")
    assert failed.status is ApplicationStatus.DEPLOY_FAILED
    assert failed.replica_ids == ids(story.first, "failing")
    assert FAILURE in failed.deployments[0].message
    assert len(failed.deployments[0].recent_dead) >= 3


def test_after_a_failed_update_the_failed_config_is_shown(story: Story) -> None:
    failed = application(story.edited, "failing").application
    assert failed is not None
    assert failed.config["args"]["fail"] == FAILURE


def test_an_application_that_cannot_be_built_fails_and_shows_no_deployments(story: Story) -> None:
    failed = application(story.edited, "unbuildable")
    assert failed.status is ApplicationStatus.DEPLOY_FAILED
    assert failed.deployments == ()
    assert FAILURE in failed.message


def test_an_override_for_an_unknown_deployment_fails_the_application(story: Story) -> None:
    failed = application(story.edited, "misnamed")
    assert failed.status is ApplicationStatus.DEPLOY_FAILED
    assert "Nobody" in failed.message


@pytest.mark.parametrize("name", ["failing", "unbuildable", "misnamed"])
def test_putting_the_previous_config_back_keeps_the_old_replica(story: Story, name: str) -> None:
    assert application(story.repaired, name).status is ApplicationStatus.RUNNING
    assert ids(story.repaired, name) == ids(story.first, name)


def test_cluster_wide_options_are_accepted_back_and_stay(story: Story) -> None:
    assert story.first.options["http_options"]["host"] == "127.0.0.1"
    assert story.repaired.options == story.first.options


def test_nodes_tell_what_they_have(story: Story) -> None:
    assert sum(node.total.get("CPU", 0.0) for node in story.first.nodes) == 16.0


def test_target_capacity_has_to_be_repeated(story: Story, world: World) -> None:
    configs = list(REPAIRED.values())
    options = world.state().options
    world.writer.put({**options, "target_capacity": 100.0, "applications": configs})
    assert world.settle().options["target_capacity"] == 100.0
    assert world.apply(configs).options["target_capacity"] == 100.0
    world.writer.put({**options, "applications": configs})
    assert "target_capacity" not in world.settle().options


def test_an_environment_value_that_is_no_text_is_refused_and_not_quoted(story: Story, world: World) -> None:
    before = world.state()
    bad = light_config("refused", env={"SECRET": "hush-hush", "FLAG": False})  # type: ignore[dict-item]
    with pytest.raises(PutRefused, match=r"env_vars") as refused:
        world.put([*REPAIRED.values(), bad])
    assert refused.value.status == 400
    assert "hush-hush" not in str(refused.value)
    # Ray may have stored the refused document: put back what is meant.
    world.apply(REPAIRED.values())
    assert ids(world.state(), "bystander") == ids(before, "bystander")


def test_a_package_may_be_uploaded_twice(world: World) -> None:
    package = light_package()
    world.writer.upload_package(package.name, package.content)
    world.writer.upload_package(package.name, package.content)


def test_a_log_that_is_not_there_is_empty(story: Story, world: World) -> None:
    node_id = story.first.nodes[0].node_id
    assert world.reader.replica_log("/serve/nobody.log", node_id) == ""
    assert world.reader.replica_log("/serve/nobody.log", "0" * 56) == ""


def test_the_log_of_a_dead_replica_can_be_read(world: World, story: Story) -> None:
    dead = application(story.edited, "failing").deployments[0].recent_dead[-1]
    assert dead.log_file_path is not None
    assert world.reader.replica_log(dead.log_file_path, dead.node_id, lines=5).strip()


@pytest.mark.ray
def test_a_redacted_answer_is_unknown(
    ray_cluster: LocalCluster, ray_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray_world.apply([BEFORE["bystander"]])
    monkeypatch.setattr(http_client, "USER_AGENT", "Mozilla/5.0 (looks like a browser)")
    with RestClient(ray_cluster.dashboard_address, token=ray_cluster.token) as browser:
        state = browser.live_state()
    assert isinstance(state, UnknownState)
    assert "redacted" in state.reason


def test_a_redacted_answer_of_the_fake_is_unknown() -> None:
    fake = FakeServe()
    fake.put({"applications": [BEFORE["bystander"]]})
    fake.redacted = True
    assert isinstance(fake.live_state(), UnknownState)


def test_an_empty_list_beside_living_replicas_is_unknown_on_the_fake() -> None:
    fake = FakeServe()
    assert fake.settle().applications == ()
    fake.put({"applications": [BEFORE["bystander"]]})
    fake.settle()
    fake.lost = True
    state = fake.live_state()
    assert isinstance(state, UnknownState)
    assert "replicas live" in state.reason

"""Adapters come and go while requests are answered: nobody loses an answer, and nobody gets another adapter's."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.causes import PATTERNS
from reconciler.apply.diagnosis import diagnose
from runtime.engine import adapters as adapters_module
from runtime.engine import found as found_module
from runtime.engine.adapter_source import AdapterSource, have_adapter
from runtime.engine.adapters import Adapters, UnknownAdapter
from runtime.engine.errors import WeightsError
from runtime.engine.mirror import Snapshot
from tests.support.checkpoints import safetensors
from tests.support.hub import Hub, hub
from tests.support.stores import s3


class Engine:
    """Remembers what is loaded, and refuses what a test says."""

    def __init__(self) -> None:
        self.loaded: dict[str, str] = {}
        self.told: list[str] = []
        self.refuses: set[str] = set()

    async def load_adapter(self, name: str, snapshot: Snapshot) -> None:
        await asyncio.sleep(0)
        assert name not in self.loaded, f"{name} is loaded already"
        if name in self.refuses:
            raise WeightsError("LoRA rank 32 is greater than max_lora_rank 16.")
        self.loaded[name] = snapshot.path.name
        self.told.append(f"+{name}")

    async def unload_adapter(self, name: str) -> None:
        del self.loaded[name]
        self.told.append(f"-{name}")


class World:
    """The adapters of a replica, fetched at once unless a test holds them up."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.fetches: list[str] = []
        self.told: list[str] = []
        self.held: dict[str, asyncio.Event] = {}
        self.gone: set[str] = set()
        self.adapters = Adapters("org/chat", self.engine, self.fetch, self.multiplexed)

    async def fetch(self, source: AdapterSource) -> Snapshot:
        self.fetches.append(source.uri)
        if source.uri in self.held:
            await self.held[source.uri].wait()
        if source.uri in self.gone:
            raise WeightsError(f"there is nothing at `{source.uri}`")
        return Snapshot(Path(source.uri), "r")

    def multiplexed(self, max_num_models_per_replica: int) -> Any:
        def decorate(load: Callable[[str], Awaitable[str]]) -> Callable[[str], Awaitable[str]]:
            async def tell(name: str) -> str:
                self.told.append(f"{name} of {max_num_models_per_replica}")
                await asyncio.sleep(0)
                return await load(name)

            return tell

        return decorate

    def configure(self, path: Path | str | None = None, most: int | None = None, **named: str) -> None:
        settings: dict[str, Any] = {"adapters": {name: {"source": source} for name, source in named.items()}}
        if path is not None:
            settings["dynamic_lora_loading_path"] = str(path)
        if most is not None:
            settings["max_num_adapters_per_replica"] = most
        self.adapters.configure(settings)

    async def ask(self, adapter_id: str) -> str:
        """What answers to the adapter's name while it is in use."""
        async with self.adapters.used(adapter_id):
            await asyncio.sleep(0)
            return self.engine.loaded[f"org/chat:{adapter_id}"]

    async def settle(self) -> None:
        """Let everything happen that does not wait for anything."""
        for _ in range(50):
            await asyncio.sleep(0)


def run(story: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    """A story in a loop of its own; a task that fails unheard fails the test."""

    async def told() -> None:
        unheard: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
        await asyncio.wait_for(story(World()), 60)
        assert not unheard

    asyncio.run(told())


def below(path: Path, *names: str) -> Path:
    """A path with adapters in its folders."""
    for name in names:
        (path / name).mkdir(parents=True)
        (path / name / "adapter_config.json").write_text("{}")
    return path


def test_named_adapters_are_loaded_before_anybody_asks_and_answer_to_their_names() -> None:
    async def story(world: World) -> None:
        world.configure(fr="/a/fr", de="/a/de")
        await world.settle()
        assert world.engine.loaded == {"org/chat:fr": "fr", "org/chat:de": "de"}
        assert await world.ask("fr") == "fr"
        assert {name: entry["state"] for name, entry in world.adapters.report().items()} == {
            "de": "loaded",
            "fr": "loaded",
        }
        # Routers need not be told: every replica has them.
        assert world.told == []

    run(story)


def test_a_request_waits_for_an_adapter_that_loads() -> None:
    async def story(world: World) -> None:
        world.held["/a/fr"] = asyncio.Event()
        world.configure(fr="/a/fr")
        asked = asyncio.create_task(world.ask("fr"))
        await world.settle()
        assert not asked.done()
        assert world.adapters.report()["fr"] == {"source": "/a/fr", "revision": None, "state": "loading"}
        world.held["/a/fr"].set()
        assert await asked == "fr"

    run(story)


def test_an_unknown_one_is_unknown_at_once() -> None:
    async def story(world: World) -> None:
        for settings in ({}, {"fr": "/a/fr"}):
            world.configure(**settings)
            with pytest.raises(UnknownAdapter):
                await world.ask("other")

    run(story)


def test_one_that_is_taken_away_answers_its_last_request_first() -> None:
    async def story(world: World) -> None:
        world.configure(fr="/a/fr")
        async with world.adapters.used("fr"):
            world.configure()
            await world.settle()
            assert "org/chat:fr" in world.engine.loaded
            with pytest.raises(UnknownAdapter):
                await world.ask("fr")
        await world.settle()
        assert world.engine.loaded == {}

    run(story)


def test_a_new_source_is_loaded_after_the_last_request_of_the_old_one() -> None:
    async def story(world: World) -> None:
        world.configure(fr="/a/fr-1")
        async with world.adapters.used("fr"):
            world.configure(fr="/a/fr-2")
            asked = asyncio.create_task(world.ask("fr"))
            await world.settle()
            assert world.engine.loaded == {"org/chat:fr": "fr-1"}
            assert not asked.done()
        assert await asked == "fr-2"
        assert world.engine.told == ["+org/chat:fr", "-org/chat:fr", "+org/chat:fr"]

    run(story)


def test_one_that_stays_is_not_touched() -> None:
    async def story(world: World) -> None:
        world.configure(fr="/a/fr")
        await world.settle()
        world.configure(fr="/a/fr", de="/a/de")
        await world.settle()
        assert world.fetches == ["/a/fr", "/a/de"]

    run(story)


def test_one_that_cannot_be_had_says_why_and_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        world.gone.add("s3://b/fr")
        world.engine.refuses.add("org/chat:wide")
        world.configure(fr="s3://b/fr", wide="/a/wide", de="/a/de")
        with pytest.raises(WeightsError, match="there is nothing at `s3://b/fr`"):
            await world.ask("fr")
        with pytest.raises(WeightsError, match="LoRA rank 32 is greater"):
            await world.ask("wide")
        assert await world.ask("de") == "de"
        report = world.adapters.report()["fr"]
        assert report == {
            "source": "s3://b/fr",
            "revision": None,
            "state": "failed",
            "reason": "there is nothing at `s3://b/fr`",
        }

    with caplog.at_level(logging.ERROR, "ray.serve"):
        run(story)
    assert "adapter org/chat:fr cannot be served: there is nothing at `s3://b/fr`" in caplog.messages


def test_one_that_failed_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        world.gone.add("/a/fr")
        world.configure(fr="/a/fr")
        for _ in range(3):
            with pytest.raises(WeightsError):
                await world.ask("fr")
        assert world.fetches == ["/a/fr"]
        world.gone.clear()
        monkeypatch.setattr(adapters_module, "_RETRY_S", -1.0)
        assert await world.ask("fr") == "fr"
        assert await world.ask("fr") == "fr"
        assert world.fetches == ["/a/fr", "/a/fr"]

    run(story)


def test_what_lies_below_the_path_is_loaded_for_who_asks(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.configure(below(tmp_path, "fr", "v1:2"))
        await world.settle()
        assert world.engine.loaded == {}
        assert await world.ask("fr") == "fr"
        assert await world.ask("v1:2") == "v1:2"
        assert world.told == ["org/chat:fr of 16", "org/chat:v1:2 of 16"]
        with pytest.raises(UnknownAdapter):
            await world.ask("de")
        assert await world.adapters.ids() == ("fr", "v1:2")

    run(story)


def test_one_that_appears_below_the_path_is_seen_after_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        world.configure(below(tmp_path, "fr"))
        assert await world.adapters.ids() == ("fr",)
        with pytest.raises(UnknownAdapter):
            await world.ask("de")
        below(tmp_path, "de")
        with pytest.raises(UnknownAdapter):
            await world.ask("de")
        assert await world.adapters.ids() == ("fr",)
        monkeypatch.setattr(found_module, "_ABSENT_S", -1.0)
        monkeypatch.setattr(found_module, "_LISTED_S", -1.0)
        assert await world.ask("de") == "de"
        assert await world.adapters.ids() == ("de", "fr")

    run(story)


@pytest.mark.parametrize("adapter_id", ["", "../secrets", "..", ".hidden", "a/b", "a b", "x" * 201])
def test_no_id_leads_out_of_the_path(tmp_path: Path, adapter_id: str) -> None:
    async def story(world: World) -> None:
        below(tmp_path, "secrets", "path/a/b", "path/.hidden")
        world.configure(tmp_path / "path")
        with pytest.raises(UnknownAdapter):
            await world.ask(adapter_id)
        assert world.fetches == []

    run(story)


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.configure(below(tmp_path, "a", "b", "c"), most=2)
        for adapter_id in ("a", "b", "a", "c"):
            await world.ask(adapter_id)
        await world.settle()
        assert set(world.engine.loaded) == {"org/chat:a", "org/chat:c"}

    run(story)


def test_one_in_use_is_not_let_go(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.configure(below(tmp_path, "a", "b"), most=1)
        async with world.adapters.used("a"):
            assert await world.ask("b") == "b"
            assert "org/chat:a" in world.engine.loaded
        await world.ask("b")
        await world.settle()
        assert set(world.engine.loaded) == {"org/chat:b"}

    run(story)


def test_many_at_once_each_get_their_own(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        names = [f"a{number}" for number in range(8)]
        world.configure(below(tmp_path, *names), most=2)
        wanted = [names[(number * 5) % 8] for number in range(200)]
        assert await asyncio.gather(*map(world.ask, wanted)) == wanted
        await world.settle()
        await world.ask("a0")
        await world.settle()
        assert len(world.engine.loaded) <= 3

    run(story)


def test_a_name_in_the_settings_wins_over_the_path(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.configure(below(tmp_path, "fr"))
        assert await world.ask("fr") == "fr"
        world.configure(tmp_path, fr="/named/fr-named")
        assert await world.ask("fr") == "fr-named"
        world.configure(tmp_path)
        assert await world.ask("fr") == "fr"

    run(story)


def test_another_path_takes_away_what_was_found_below_the_first(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.configure(below(tmp_path / "1", "fr"))
        await world.ask("fr")
        world.configure(below(tmp_path / "2", "de"))
        await world.settle()
        assert world.engine.loaded == {}
        assert await world.ask("de") == "de"
        world.configure()
        with pytest.raises(UnknownAdapter):
            await world.ask("de")

    run(story)


def test_a_request_that_goes_away_does_not_hold_an_adapter() -> None:
    async def story(world: World) -> None:
        world.held["/a/fr"] = asyncio.Event()
        world.configure(fr="/a/fr")
        asked = asyncio.create_task(world.ask("fr"))
        await world.settle()
        asked.cancel()
        await world.settle()
        assert asked.cancelled()
        world.configure()
        world.held["/a/fr"].set()
        await world.settle()
        assert world.engine.loaded == {}

    run(story)


def test_settings_that_say_nothing_are_taken() -> None:
    async def story(world: World) -> None:
        world.adapters.configure({})
        assert await world.adapters.ids() == ()
        assert world.adapters.report() == {}

    run(story)


def write_adapter(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 4}))
    (folder / "adapter_model.safetensors").write_bytes(safetensors({"a": ((1,), (1.0,))}))
    return folder


def test_an_adapter_on_the_node_is_used_where_it_is_and_told_from_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_adapter(tmp_path / "fr")
    first = have_adapter(AdapterSource(str(folder)))
    assert first.path == folder
    monkeypatch.setenv("ADAPTERS", str(tmp_path))
    assert have_adapter(AdapterSource("${env:ADAPTERS}/fr")) == first
    (folder / "adapter_model.safetensors").write_bytes(safetensors({"a": ((2,), (1.0, 2.0))}))
    assert have_adapter(AdapterSource(str(folder))).revision != first.revision


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("/no/such/adapter", "the path `/no/such/adapter` does not exist on this node"),
        ("${env:NOWHERE}/fr", "`NOWHERE` is not set on this node but `lora_config` refers to it"),
    ],
)
def test_an_adapter_that_is_not_there_says_so(uri: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(WeightsError) as raised:
        have_adapter(AdapterSource(uri))
    assert reason in str(raised.value)


def test_adapters_in_a_store_get_a_folder_for_each_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with s3() as store:
        for name, value in store.variables.items():
            monkeypatch.setenv(name, value)
        uri = store.put_folder(write_adapter(tmp_path / "fr"), "adapters/fr")
        first = have_adapter(AdapterSource(uri))
        assert have_adapter(AdapterSource(f"{uri}/")) == first
        store.put("adapters/fr/adapter_model.safetensors", safetensors({"a": ((2,), (1.0, 2.0))}))
        second = have_adapter(AdapterSource(uri))
        assert second.path != first.path
        assert (first.path / "adapter_model.safetensors").exists()
        store.put("adapters/README.md", b"")

        async def ids() -> tuple[str, ...]:
            found = found_module.Found(store.uri("adapters/"))
            assert await found.has("fr")
            assert not await found.has("de")
            return await found.ids()

        assert asyncio.run(ids()) == ("fr",)


@pytest.fixture
def the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub, and a cache of this node."""
    with hub() as found:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", found.address)
        template = f"{found.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield found


def test_an_adapter_of_the_hub_is_that_of_its_commit(the_hub: Hub, tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "old")
    (folder / "model.safetensors").write_bytes(b"the whole model")
    the_hub.add("org/lora", "c" * 40, folder, "v1")
    the_hub.add("org/lora", "d" * 40, write_adapter(tmp_path / "new"), "main")
    found = have_adapter(AdapterSource("org/lora", "v1"))
    assert (found.revision, found.path.name) == ("c" * 40, "c" * 40)
    assert have_adapter(AdapterSource("org/lora")).revision == "d" * 40
    # Repositories may hold more than the adapter.
    assert not any("model.safetensors" in path and "adapter" not in path for path in the_hub.asked)


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        ((401, {"X-Error-Code": "GatedRepo"}), "missing_token"),
        ((403, {"X-Error-Code": "GatedRepo"}), "gated_model"),
        ((404, {"X-Error-Code": "RepoNotFound"}), "unknown_model"),
        ((404, {"X-Error-Code": "RevisionNotFound"}), "unknown_revision"),
    ],
)
def test_what_the_hub_refuses_has_a_name(
    the_hub: Hub, tmp_path: Path, refusal: tuple[int, dict[str, str]], cause: str
) -> None:
    the_hub.refusals["org/lora"] = refusal
    with pytest.raises(WeightsError) as raised:
        have_adapter(AdapterSource("org/lora", "main"))
    [named] = [pattern for pattern in PATTERNS if pattern.name == cause]
    assert diagnose("", str(raised.value)).sentence == named.sentence, raised.value


def test_an_adapter_of_the_hub_comes_from_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "c" * 40
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    write_adapter(tmp_path / "models--org--lora" / "snapshots" / commit)
    (tmp_path / "models--org--lora" / "refs").mkdir()
    (tmp_path / "models--org--lora" / "refs" / "v1").write_text(commit)
    found = have_adapter(AdapterSource("org/lora", "v1"))
    assert found == Snapshot(tmp_path / "models--org--lora" / "snapshots" / commit, commit)
    with pytest.raises(WeightsError, match="LocalEntryNotFoundError"):
        have_adapter(AdapterSource("org/other"))

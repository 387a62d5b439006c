"""A mirror comes into the cache in the layout that the documents promise, once, whole, or with the reason why not."""

import os
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from runtime.engine import mirror
from runtime.engine.checkpoint import lacking_checkpoint
from runtime.engine.errors import WeightsError
from runtime.engine.mirror import NO_HASH, Snapshot, fetch
from runtime.engine.store import Folder, Stored
from tests.support.checkpoints import checkpoint, safetensors
from tests.support.stores import Store, gcs, s3


@pytest.fixture(scope="module")
def s3_store() -> Iterator[Store]:
    with s3() as found:
        yield found


@pytest.fixture
def store(s3_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in s3_store.variables.items():
        monkeypatch.setenv(name, value)
    return s3_store


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all files that are fetched."""
    names: list[str] = []
    original = Folder.fetch

    def recorded(self: Folder, wanted: dict[str, Stored], *args: object) -> None:
        names.extend(wanted)
        original(self, wanted, *args)

    monkeypatch.setattr(Folder, "fetch", recorded)
    return names


def test_the_file_hash_names_the_snapshot(store: Store, tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "source", shards=2)
    (source / "1_Pooling").mkdir()
    (source / "1_Pooling" / "config.json").write_text("{}")
    uri = store.put_folder(source, "hashed", hash=b"1a2b3c\n")
    found = fetch(uri, tmp_path / "models--org--a", lacking_checkpoint)
    assert found == Snapshot(tmp_path / "models--org--a" / "snapshots" / "1a2b3c", "1a2b3c")
    assert (tmp_path / "models--org--a" / "refs" / "main").read_text() == "1a2b3c"
    for path in source.rglob("*"):
        if path.is_file():
            assert (found.path / path.relative_to(source)).read_bytes() == path.read_bytes()


def test_a_mirror_without_a_hash_is_forty_zeros(store: Store, tmp_path: Path) -> None:
    found = fetch(store.put_folder(checkpoint(tmp_path / "s"), "plain"), tmp_path / "m", lacking_checkpoint)
    assert found.revision == NO_HASH == "0" * 40
    assert found.path.name == NO_HASH


def test_googles_store_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gcs() as store:
        for name, value in store.variables.items():
            monkeypatch.setenv(name, value)
        uri = store.put_folder(checkpoint(tmp_path / "s", shards=2), "g", hash=b"abc")
        found = fetch(uri, tmp_path / "m", lacking_checkpoint)
        assert found.revision == "abc"
        assert fetch(uri, tmp_path / "m", lacking_checkpoint) == found


def test_what_is_there_is_not_fetched_again(store: Store, tmp_path: Path, fetched: list[str]) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s", shards=2), "again")
    fetch(uri, tmp_path / "m", lacking_checkpoint)
    assert len(fetched) == 4
    fetched.clear()
    fetch(uri, tmp_path / "m", lacking_checkpoint)
    assert fetched == []


def test_half_a_snapshot_is_completed(store: Store, tmp_path: Path, fetched: list[str]) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s", shards=3), "half")
    found = fetch(uri, tmp_path / "m", lacking_checkpoint)
    (found.path / "model-00002-of-00003.safetensors").unlink()
    (found.path / "model-00003-of-00003.safetensors").write_bytes(b"half")
    (found.path / ".model-00002-of-00003.safetensors.77.part").write_bytes(b"left by a killed replica")
    fetched.clear()
    fetch(uri, tmp_path / "m", lacking_checkpoint)
    assert sorted(fetched) == ["model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"]
    assert not list(found.path.glob(".*"))


def _killed(uri: str, root: Path) -> None:
    Folder.fetch = lambda *_: os.kill(os.getpid(), 9)  # type: ignore[method-assign]
    fetch(uri, root, lacking_checkpoint)


def test_an_interrupted_fetch_is_taken_for_whole_by_nobody(store: Store, tmp_path: Path) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s"), "killed")
    child = get_context("spawn").Process(target=_killed, args=(uri, tmp_path / "m"))
    child.start()
    child.join()
    assert child.exitcode == -9
    assert not (tmp_path / "m" / "refs" / "main").exists()
    # The lock of the dead process is free, and the next one does it all.
    assert (fetch(uri, tmp_path / "m", lacking_checkpoint).path / "model.safetensors").exists()


def test_a_mirror_that_was_changed_is_brought_up_to_date(store: Store, tmp_path: Path, fetched: list[str]) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s", shards=2), "changed")
    found = fetch(uri, tmp_path / "m", lacking_checkpoint)
    for path in found.path.iterdir():
        os.utime(path, (1, 1))
    for name in (
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ):
        store.delete(f"changed/{name}")
    store.put("changed/model.safetensors", safetensors({"b": ((1,), (3.0,))}))
    fetched.clear()
    fetch(uri, tmp_path / "m", lacking_checkpoint)
    assert sorted(fetched) == ["config.json", "model.safetensors"]
    # What the mirror does not have any more would be loaded as well.
    assert sorted(path.name for path in found.path.iterdir()) == ["config.json", "model.safetensors"]


def test_by_content_every_state_has_a_snapshot_of_its_own(store: Store, tmp_path: Path) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s"), "states")
    first = fetch(uri, tmp_path / "m", lacking_checkpoint, by_content=True)
    assert fetch(uri, tmp_path / "m", lacking_checkpoint, by_content=True) == first
    store.put("states/model.safetensors", safetensors({"b": ((3,), (3.0, 1.0, 2.0))}))
    second = fetch(uri, tmp_path / "m", lacking_checkpoint, by_content=True)
    assert second.revision != first.revision
    assert (first.path / "model.safetensors").read_bytes() != (second.path / "model.safetensors").read_bytes()


def test_nothing_at_the_uri_is_an_error_and_no_model_of_the_hub(store: Store, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"^there is nothing at `s3://weights/typo`$"):
        fetch(store.uri("typo/"), tmp_path / "m", lacking_checkpoint)
    assert not (tmp_path / "m").exists()


def test_a_mirror_that_lacks_a_file_is_refused_before_anything_is_fetched(
    store: Store, tmp_path: Path, fetched: list[str]
) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s", shards=2), "lacking")
    store.delete("lacking/model-00002-of-00002.safetensors")
    with pytest.raises(WeightsError) as raised:
        fetch(uri, tmp_path / "m", lacking_checkpoint)
    assert str(raised.value) == f"`{uri}` is incomplete: `model-00002-of-00002.safetensors` is missing"
    assert fetched == []


def test_a_mirror_of_pointers_is_refused(store: Store, tmp_path: Path) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s"), "pointers")
    store.put("pointers/model.safetensors", b"version https://git-lfs.github.com/spec/v1\nsize 5\n")
    with pytest.raises(WeightsError, match="is a pointer of Git LFS"):
        fetch(uri, tmp_path / "m", lacking_checkpoint)
    assert not (tmp_path / "m" / "refs" / "main").exists()


@pytest.mark.parametrize("content", [b"", b"../../etc", b"a b", b".hidden", b"x" * 101])
def test_a_hash_that_is_no_revision_is_refused(store: Store, tmp_path: Path, content: bytes) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s"), "badhash", hash=content)
    with pytest.raises(WeightsError, match="`s3://weights/badhash/hash` holds no revision"):
        fetch(uri, tmp_path / "m", lacking_checkpoint)


def test_a_disk_that_is_too_small_is_said_before_it_is_full(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s"), "large")
    usage = mirror.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(mirror.shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(WeightsError, match=r"not enough disk space for `s3://weights/large`: it takes .* has 10$"):
        fetch(uri, tmp_path / "m", lacking_checkpoint)


def _counted(uri: str, root: Path) -> None:
    original, count = Folder.fetch, 0

    def fetch_slowly(self: Folder, wanted: dict[str, Stored], *args: object) -> None:
        nonlocal count
        count += len(wanted)
        time.sleep(1 if wanted else 0)
        original(self, wanted, *args)

    Folder.fetch = fetch_slowly  # type: ignore[method-assign]
    fetch(uri, root, lacking_checkpoint)
    sys.exit(count)


def test_replicas_that_start_together_fetch_once(store: Store, tmp_path: Path) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s", shards=4), "together")
    children = [get_context("spawn").Process(target=_counted, args=(uri, tmp_path / "m")) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert sorted(child.exitcode for child in children) == [0, 6]

"""Object stores over their real protocols: what is there is read, and what is not has a reason in words."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.engine.errors import WeightsError
from runtime.engine.store import _PIECE_BYTES, Folder
from tests.support.stores import Store, gcs, s3
from tests.support.web import Handler, serving


@pytest.fixture(scope="module")
def stores() -> Iterator[dict[str, Store]]:
    with s3() as amazon, gcs() as google:
        yield {"s3": amazon, "gs": google}


@pytest.fixture(params=["s3", "gs"])
def store(request: pytest.FixtureRequest, stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch) -> Store:
    """Each of the two, as the environment of a node names them."""
    return _named(stores[request.param], monkeypatch)


@pytest.fixture
def s3_store(stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch) -> Store:
    return _named(stores["s3"], monkeypatch)


def _named(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in store.variables.items():
        monkeypatch.setenv(name, value)
    return store


def test_a_folder_is_listed_with_everything_below_it(store: Store) -> None:
    store.put("list/config.json", b"{}")
    store.put("list/1_Pooling/config.json", b"[]")
    store.put("listing/other", b"x")
    files = Folder(store.uri("list/")).files()
    assert {name: stored.size for name, stored in files.items()} == {"config.json": 2, "1_Pooling/config.json": 2}
    assert all(stored.modified > 1e9 for stored in files.values())


def test_files_are_fetched_whole_with_their_time(store: Store, tmp_path: Path) -> None:
    large = os.urandom(1000) * (3 * _PIECE_BYTES // 1000)
    store.put("fetch/large.bin", large)
    store.put("fetch/sub/empty", b"")
    folder = Folder(store.uri("fetch"))
    files = folder.files()
    folder.fetch(files, tmp_path)
    assert (tmp_path / "large.bin").read_bytes() == large
    assert (tmp_path / "sub" / "empty").read_bytes() == b""
    assert abs((tmp_path / "large.bin").stat().st_mtime - files["large.bin"].modified) < 1
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["empty", "large.bin"]


def test_a_file_is_read_and_a_missing_one_is_not_there(store: Store) -> None:
    store.put("read/hash", b"abc\n")
    folder = Folder(store.uri("read"))
    assert folder.read("hash") == b"abc\n"
    assert folder.read("other") is None
    assert folder.stat("hash") is not None
    assert folder.stat("other") is None


def test_where_nothing_is_there_is_no_file(store: Store) -> None:
    assert Folder(store.uri("nothing/here")).files() == {}


def test_a_bucket_that_does_not_exist_is_named(store: Store) -> None:
    uri = store.uri("x").replace("weights", "wheights")
    with pytest.raises(WeightsError, match=r"^the bucket `wheights` does not exist, so `.*wheights/x` cannot be read"):
        Folder(uri).files()


def test_a_file_that_is_gone_in_between_is_an_error_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    store.put("gone/a.bin", b"a" * 10)
    folder = Folder(store.uri("gone"))
    files = folder.files()
    store.delete("gone/a.bin")
    with pytest.raises(WeightsError, match="cannot be read"):
        folder.fetch(files, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_became_shorter_is_an_error(store: Store, tmp_path: Path) -> None:
    store.put("short/a.bin", b"a" * 10)
    folder = Folder(store.uri("short"))
    files = folder.files()
    store.put("short/a.bin", b"a" * 5)
    with pytest.raises(WeightsError, match="was changed while it was fetched"):
        folder.fetch(files, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_keys_that_the_store_does_not_know_are_refused(s3_store: Store) -> None:
    s3_store.put("denied/hash", b"abc")
    s3_store.demand_keys(True)
    try:
        with pytest.raises(WeightsError, match=r"^this node may not read `s3://weights/denied` \("):
            Folder(s3_store.uri("denied")).files()
        # Ray would take the same answer for a mirror without the file.
        with pytest.raises(WeightsError, match="this node may not read"):
            Folder(s3_store.uri("denied")).read("hash")
    finally:
        s3_store.demand_keys(False)


def test_a_store_that_does_not_answer_is_said_to_be_silent(s3_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match=r"^the store of `s3://weights/x` does not answer"):
        Folder("s3://weights/x").files()


def test_the_endpoint_for_s3_alone_wins(s3_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_store.put("endpoint/a", b"a")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_store.address)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert set(Folder(s3_store.uri("endpoint")).files()) == {"a"}


def test_a_bucket_may_be_read_without_credentials(s3_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    s3_store.put("public/a", b"a")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert set(Folder("s3://anonymous@weights/public").files()) == {"a"}


@pytest.mark.parametrize("name", ["../outside", "a/../../outside"])
def test_a_file_that_leads_out_of_the_folder_is_refused(s3_store: Store, name: str) -> None:
    s3_store.put(f"out/{name}", b"x")
    with pytest.raises(WeightsError, match="has a file that leads out of it"):
        Folder(s3_store.uri("out")).files()


@pytest.mark.parametrize("status", [401, 403])
def test_googles_store_may_refuse_as_well(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(Handler):
        def do_GET(self) -> None:
            self.reply(status, b'{"error": {"code": %d, "message": "no"}}' % status)

    with serving(Refusing) as address:
        monkeypatch.setenv("CLOUD_STORAGE_EMULATOR_ENDPOINT", address)
        with pytest.raises(WeightsError, match=r"^this node may not read `gs://anonymous@weights/x` \("):
            Folder("gs://anonymous@weights/x").files()

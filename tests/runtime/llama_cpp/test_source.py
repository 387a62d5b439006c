"""Where a GGUF file comes from."""

import multiprocessing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.llama_cpp import source
from runtime.llama_cpp.source import chosen, find_gguf, parts


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECONCILER_GGUF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def bucket(folder: Path, **files: bytes) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", "-").replace("_gguf", ".gguf")).write_bytes(content)
    return f"file://{folder}"


def test_a_path_is_the_file_itself_or_its_folder(tmp_path: Path) -> None:
    bucket(tmp_path / "m", a_gguf=b"a", readme=b"")
    assert find_gguf(str(tmp_path / "m" / "a.gguf"), None) == str(tmp_path / "m" / "a.gguf")
    assert find_gguf(str(tmp_path / "m"), None) == str(tmp_path / "m" / "a.gguf")
    with pytest.raises(FileNotFoundError, match="the path `/nowhere` does not exist on this node"):
        find_gguf("/nowhere", None)


def test_of_several_files_one_has_to_be_named() -> None:
    names = ["a.Q4.gguf", "a.Q8.gguf", "x.txt"]
    assert chosen(names, "a.Q8.gguf", "it") == "a.Q8.gguf"
    with pytest.raises(FileNotFoundError, match=r"write `gguf_file`: in it there are `a\.Q4\.gguf`, `a\.Q8\.gguf`"):
        chosen(names, None, "it")
    with pytest.raises(FileNotFoundError, match=r"there is no `b\.gguf` in it, but `a\.Q4\.gguf`, `a\.Q8\.gguf`"):
        chosen(names, "b.gguf", "it")
    with pytest.raises(FileNotFoundError, match="no GGUF file"):
        chosen(["x.txt"], None, "it")


def test_a_model_of_several_parts_is_its_first() -> None:
    names = ["big-00001-of-00003.gguf", "big-00002-of-00003.gguf", "big-00003-of-00003.gguf"]
    assert chosen(reversed(names), None, "it") == names[0]
    assert parts(names[0]) == names
    assert parts("small.gguf") == ["small.gguf"]


def test_a_bucket_is_fetched_once(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = bucket(tmp_path / "b", a_gguf=b"weights")
    fetched = find_gguf(uri, None)
    assert Path(fetched).read_bytes() == b"weights"
    assert cache in Path(fetched).parents
    assert find_gguf(f"{uri}/a.gguf", None) != fetched
    monkeypatch.setattr(source, "_BLOCK", 3)
    (tmp_path / "b" / "a.gguf").write_bytes(b"another of another size")
    assert Path(find_gguf(uri, "a.gguf")).read_bytes() == b"another of another size"


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    uri = bucket(tmp_path / "b", a_gguf=b"weights")
    fetched = Path(find_gguf(uri, None))
    before = fetched.stat().st_mtime_ns
    assert find_gguf(uri, None) == str(fetched)
    assert fetched.stat().st_mtime_ns == before


def test_all_parts_come_and_a_missing_one_is_named(tmp_path: Path) -> None:
    uri = bucket(tmp_path / "b", big__00001__of__00002_gguf=b"1")
    with pytest.raises(FileNotFoundError, match=r"no `big-00002-of-00002\.gguf`"):
        find_gguf(uri, None)
    bucket(tmp_path / "b", big__00002__of__00002_gguf=b"2")
    first = Path(find_gguf(uri, None))
    assert sorted(each.read_bytes() for each in first.parent.glob("*.gguf")) == [b"1", b"2"]


def test_a_file_that_broke_off_is_not_taken(tmp_path: Path) -> None:
    class Short:
        def open_input_stream(self, path: str) -> Any:
            return (tmp_path / "short").open("rb")

    (tmp_path / "short").write_bytes(b"half")
    with pytest.raises(OSError, match="broke off after 4 of 8 bytes"):
        source._fetch(Short(), "b/a.gguf", tmp_path / "a.gguf", 8)
    assert not (tmp_path / "a.gguf").exists()


def test_replicas_of_a_node_wait_for_one_another(tmp_path: Path) -> None:
    uri = bucket(tmp_path / "b", a_gguf=b"weights" * 100_000)
    context = multiprocessing.get_context("fork")
    found = context.Queue()
    runs = [context.Process(target=lambda: found.put(find_gguf(uri, None))) for _ in range(4)]
    for run in runs:
        run.start()
    paths = {found.get(timeout=30) for _ in runs}
    for run in runs:
        run.join()
    [path] = paths
    assert Path(path).stat().st_size == 700_000


def test_a_public_bucket_is_read_without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pyarrow import fs

    made: list[Any] = []

    class Store:
        def __init__(self, anonymous: bool = False) -> None:
            made.append(anonymous)

        def get_file_info(self, selector: Any) -> list[Any]:
            return []

    monkeypatch.setattr(fs, "FileSystem", SimpleNamespace(from_uri=lambda uri: (Store(), uri.partition("://")[2])))
    with pytest.raises(FileNotFoundError, match="no GGUF file"):
        find_gguf("s3://anonymous@bucket/models", None)
    assert made == [False, True]


def test_a_repository_is_asked_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    names = ["README.md", "big-00001-of-00002.gguf", "big-00002-of-00002.gguf"]
    asked: list[tuple[str, str]] = []

    def download(repository: str, name: str) -> str:
        asked.append((repository, name))
        return f"/cache/{name}"

    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: SimpleNamespace(list_repo_files=lambda repository: names))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    assert find_gguf("org/chat-GGUF", None) == "/cache/big-00001-of-00002.gguf"
    assert asked == [("org/chat-GGUF", name) for name in names[1:]]
    assert find_gguf("org/chat-GGUF", "a.Q8.gguf") == "/cache/a.Q8.gguf"

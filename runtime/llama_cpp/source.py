"""Where a GGUF file is: on this node, or in a bucket or a repository, from where it comes once for all replicas here.

A model of several parts is named by its first; the others lie beside it.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_URI = re.compile(r"^[a-z][a-z0-9+.-]*://")
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_BLOCK = 16 * 1024 * 1024


def find_gguf(source: str, file: str | None) -> str:
    """The path of the GGUF file on this node; it is fetched if need be.

    `source` is the path of the file or of its folder, the URI of either in a bucket, or the id of a repository on the
    Hugging Face Hub; `file` the name within a folder.

    Raises:
        FileNotFoundError: there is none, or several and nothing says which.
        OSError: the bucket cannot be read, or this node's disk not be written.
        RuntimeError: what is needed to fetch it is not installed.
    """
    if source.startswith("/"):
        return _on_disk(Path(source), file)
    return _from_bucket(source, file) if _URI.match(source) else _from_hub(source, file)


def cache_folder() -> Path:
    """Where fetched files are kept on a node."""
    home = os.environ.get("RECONCILER_GGUF_CACHE") or Path.home() / ".cache" / "reconciler" / "gguf"
    return Path(home)


def _on_disk(path: Path, file: str | None) -> str:
    if path.is_file():
        return str(path)
    if not path.is_dir():
        raise FileNotFoundError(f"the path `{path}` does not exist on this node")
    return str(path / chosen((each.name for each in path.iterdir()), file, str(path)))


def chosen(names: Iterable[str], file: str | None, where: str) -> str:
    """The file of a folder: the one that is asked for, or the only one. Raises FileNotFoundError."""
    found = sorted(name for name in names if name.endswith(".gguf"))
    if file is not None:
        if file not in found:
            raise FileNotFoundError(f"there is no `{file}` in {where}, but {_listed(found)}")
        return file
    first = [name for name in found if (part := _PART.search(name)) is None or int(part[1]) == 1]
    if len(first) != 1:
        raise FileNotFoundError(f"write `gguf_file`: in {where} there are {_listed(first)}")
    return first[0]


def parts(name: str) -> list[str]:
    """The names of all files of a model whose first file this is."""
    part = _PART.search(name)
    if part is None:
        return [name]
    stem, count = name[: part.start()], int(part[2])
    return [f"{stem}-{number:05}-of-{part[2]}.gguf" for number in range(1, count + 1)]


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "no GGUF file"


def _from_bucket(uri: str, file: str | None) -> str:
    try:
        from pyarrow.fs import FileSystem, FileType
    except ImportError as error:
        raise RuntimeError("files come from buckets with pyarrow, which this node does not have") from error
    anonymous = re.sub(r"^([a-z0-9+.-]+://)anonymous@", r"\1", uri)
    store, path = FileSystem.from_uri(anonymous)
    if anonymous != uri:
        store = type(store)(anonymous=True)
    folder, name = path.rstrip("/"), file
    if folder.endswith(".gguf"):
        folder, _, name = folder.rpartition("/")
    from pyarrow.fs import FileSelector

    there = {each.base_name: each for each in store.get_file_info(FileSelector(folder)) if each.type == FileType.File}
    first = chosen(there, name, uri)
    target = cache_folder() / hashlib.sha256(uri.encode()).hexdigest()[:16]
    with _alone(target):
        for each in parts(first):
            if each not in there:
                raise FileNotFoundError(f"there is no `{each}` in {uri}, a part of the model")
            _fetch(store, there[each].path, target / each, there[each].size)
    return str(target / first)


def _fetch(store: object, path: str, target: Path, size: int) -> None:
    """Copy a file from a bucket, unless one of that size is here already. It appears whole or not at all."""
    if target.is_file() and target.stat().st_size == size:
        return
    scratch = target.with_name(f"{target.name}.part")
    with store.open_input_stream(path) as source, scratch.open("wb") as sink:  # type: ignore[attr-defined]
        while block := source.read(_BLOCK):
            sink.write(block)
    if scratch.stat().st_size != size:
        raise OSError(f"{path} broke off after {scratch.stat().st_size} of {size} bytes")
    scratch.replace(target)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of the replicas of a node one fetches; the others wait, and find what it fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _from_hub(repository: str, file: str | None) -> str:
    try:
        from huggingface_hub import HfApi, hf_hub_download
    except ImportError as error:
        raise RuntimeError("repositories are read with huggingface_hub, which this node does not have") from error
    first = chosen(HfApi().list_repo_files(repository), file, repository) if file is None else file
    paths = [hf_hub_download(repository, each) for each in parts(first)]
    return str(paths[0])

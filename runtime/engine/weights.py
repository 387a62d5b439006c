"""Where a model's weights come from, and having them on a node before vLLM looks for them."""

import os
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.engine.checkpoint import CONFIG, Read, check_folder, lacking_checkpoint
from runtime.engine.errors import WeightsError
from runtime.engine.mirror import Snapshot, fetch
from runtime.engine.store import Folder

_WHOLE_FORMATS = frozenset({"auto", "hf", "safetensors", "fastsafetensors", "pt", "mistral", "bitsandbytes"})
"""Values of `load_format` that load a checkpoint as it is in a repository; for the others something else is there."""

_STREAMED = frozenset({"runai_streamer", "runai_streamer_sharded", "tensorizer"})
"""Those that read a mirror themselves (`ray.llm._internal.common.utils.download_utils.STREAMING_LOAD_FORMATS`)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the weights of a model come from, as its `LLMConfig` says it. Plain data: it travels to other nodes."""

    name: str
    """Absolute path, name on the Hugging Face Hub, or the id that the cache folder of a mirror is named after."""
    mirror: str | None = None
    """URI of a folder in an object store."""
    extra_files: tuple[tuple[str, str], ...] = ()
    """More to fetch: URI and where to."""
    load_format: str = "auto"
    has_config: bool = True
    """Whether the model's configuration is beside its weights."""
    revision: str | None = None
    """Of a name on the Hub, as it is written."""

    @classmethod
    def of(cls, engine_config: Any) -> "Source":
        """The source in Ray's `VLLMEngineConfig`."""
        kwargs, mirror = engine_config.engine_kwargs, engine_config.mirror_config
        return cls(
            name=engine_config.actual_hf_model_id,
            mirror=mirror.bucket_uri if mirror else None,
            extra_files=tuple((extra.bucket_uri, extra.destination_path) for extra in mirror.extra_files)
            if mirror
            else (),
            load_format=str(kwargs.get("load_format", "auto")),
            has_config=not kwargs.get("hf_config_path"),
            revision=kwargs.get("revision"),
        )

    @property
    def uri(self) -> str:
        """How people name it."""
        return self.mirror or self.name

    @property
    def is_looked_at(self) -> bool:
        """Whether there is something to do on the nodes before the engine starts."""
        return self.mirror is not None or bool(self.extra_files) or self.name.startswith("/")


def have(source: Source) -> Snapshot | None:
    """Have what has to be on this node: a mirror is fetched, a path is looked at. None where vLLM finds the weights by
    the name itself.

    Raises:
        WeightsError: the weights cannot be had, or are not whole.
        OSError: the node's disk does not let us.
    """
    found = _mirrored(source) if source.mirror else None
    for uri, target in source.extra_files:
        _extra(uri, Path(os.path.expandvars(target)).expanduser())
    if source.mirror is None and source.name.startswith("/"):
        _local(source, Path(source.name))
    return found


def commit(source: Source) -> str | None:
    """The commit that a name on the Hub came to, once its files are in this node's cache; None where nobody knows."""
    if source.mirror or source.name.startswith("/"):
        return None
    from huggingface_hub import try_to_load_from_cache

    for name in ("config.json", "params.json"):
        path = try_to_load_from_cache(source.name, name, revision=source.revision)
        if isinstance(path, str):
            return Path(path).parent.name
    return None


def _mirrored(source: Source) -> Snapshot | None:
    assert source.mirror is not None
    if source.load_format in _STREAMED:
        if not Folder(source.mirror).files():
            raise WeightsError(f"there is nothing at `{source.mirror}`")
        return None  # Ray hands the URI on.
    from huggingface_hub.constants import HF_HUB_CACHE

    root = Path(HF_HUB_CACHE).expanduser() / f"models--{source.name.replace('/', '--')}"
    return fetch(source.mirror, root, lambda names, read: _lacking(source, names, read))


def _local(source: Source, path: Path) -> None:
    if not path.exists():
        raise WeightsError(f"the path `{path}` does not exist on this node ({socket.gethostname()})")
    if path.is_dir():
        check_folder(path, lambda names, read: _lacking(source, names, read))


def _lacking(source: Source, names: Collection[str], read: Read) -> Iterator[str]:
    for missing in lacking_checkpoint(names, read):
        of_config = missing == CONFIG
        if source.has_config if of_config else source.load_format in _WHOLE_FORMATS:
            yield missing


def _extra(uri: str, target: Path) -> None:
    """Fetch one more file, or all below a folder. A file keeps its name where `target` is a folder."""
    above, _, name = uri.rstrip("/").rpartition("/")
    file = Folder(above).stat(name) if "://" in above else None
    if file is not None:
        place = target / name if target.is_dir() else target
        Folder(above).fetch({name: file}, place.parent, {name: place.name})
        return
    folder = Folder(uri)
    files = folder.files()
    if not files:
        raise WeightsError(f"there is nothing at `{uri}`")
    folder.fetch(files, target)

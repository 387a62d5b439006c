"""Where a LoRA adapter comes from, and having it on a node."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.engine.checkpoint import check_folder, lacking_adapter
from runtime.engine.errors import WeightsError
from runtime.engine.mirror import Snapshot, digest, fetch
from runtime.engine.store import Stored, is_uri
from runtime.replica.references import resolve

_OF_THE_HUB = ["adapter_*", "*.json"]
"""Files of a repository that an adapter is made of; some hold the whole model as well."""


@dataclass(frozen=True, slots=True)
class AdapterSource:
    """Where an adapter comes from. Plain data: it travels to other nodes."""

    uri: str
    """Absolute path on every node, URI of a folder in an object store, or name on the Hugging Face Hub."""
    revision: str | None = None
    """Of a name on the Hub."""


def sources(adapters: Mapping[str, Mapping[str, Any]]) -> dict[str, AdapterSource]:
    """The sources of adapters in a deployment's `user_config`, by id."""
    return {name: AdapterSource(entry["source"], entry.get("revision")) for name, entry in adapters.items()}


def have_adapter(source: AdapterSource) -> Snapshot:
    """Have an adapter on this node. Each state of a folder in a store gets a folder of its own here, so that an adapter
    in use is never written over.

    Raises:
        WeightsError: it cannot be had, or is not whole.
        OSError: this node's disk does not let us.
    """
    uri = resolved(source.uri)
    if uri.startswith("/"):
        return _local(Path(uri))
    return _stored(uri) if is_uri(uri) else _of_the_hub(uri, source.revision)


def resolved(uri: str) -> str:
    """`uri` with what the variables of this node stand for. Raises `WeightsError` where one is not set."""
    try:
        found: str = resolve(uri, os.environ, "lora_config")
    except LookupError as error:
        raise WeightsError(str(error.args[0])) from error
    return found


def _local(folder: Path) -> Snapshot:
    if not folder.is_dir():
        raise WeightsError(f"the path `{folder}` does not exist on this node")
    check_folder(folder, lacking_adapter)
    stats = {path.name: path.stat() for path in folder.iterdir() if path.is_file()}
    return Snapshot(folder, digest({name: Stored(stat.st_size, stat.st_mtime) for name, stat in stats.items()}))


def _stored(uri: str) -> Snapshot:
    from huggingface_hub.constants import HF_HUB_CACHE

    name = f"adapters--{hashlib.sha256(uri.rstrip('/').encode()).hexdigest()[:16]}"
    return fetch(uri, Path(HF_HUB_CACHE).expanduser() / name, lacking_adapter, by_content=True)


def _of_the_hub(name: str, revision: str | None) -> Snapshot:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=_OF_THE_HUB))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
        raise WeightsError(f"{type(error).__name__}: {error}") from error
    check_folder(folder, lacking_adapter)
    return Snapshot(folder, folder.name)

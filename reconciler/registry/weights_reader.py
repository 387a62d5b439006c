"""Reads what a checkpoint's folder on this machine says: `config.json` and the headers of its safetensors files."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from reconciler.registry.weights import Weights

_MAX_CONFIG_BYTES = 4 * 1024 * 1024
_MAX_HEADER_BYTES = 100 * 1024 * 1024
"""The largest header that the safetensors library itself reads."""

_INDEX = "model.safetensors.index.json"


def read_weights(source: str) -> Weights | None:
    """What the folder says when `source` is an absolute path on this machine; None where there is nothing to read.

    Only what is there is used: a file that is missing or broken says nothing, because the weights that count are those
    on the cluster's nodes.
    """
    if not source.startswith("/"):
        return None
    folder = Path(source)
    config = _json(folder / "config.json")
    if config is None:
        return None
    values: Counter[str] = Counter()
    for path in _tensor_files(folder):
        header = _header(path)
        if header is None:
            return Weights(config, {})
        values.update(header)
    return Weights(config, dict(sorted(values.items())))


def weights_digest(source: str) -> str:
    """Stands for everything that `read_weights` says of the source."""
    return hashlib.sha256(repr(read_weights(source)).encode(errors="backslashreplace")).hexdigest()


def _tensor_files(folder: Path) -> list[Path]:
    """The safetensors files that belong together: those of the index, else those beside each other."""
    index = _json(folder / _INDEX)
    mapped = index.get("weight_map") if index else None
    if isinstance(mapped, dict):
        return [folder / name for name in sorted({str(name) for name in mapped.values()}) if os.sep not in name]
    found = sorted(folder.glob("*.safetensors"))
    # Some checkpoints hold the same weights a second time, in the format of their maker.
    return [path for path in found if not path.name.startswith("consolidated")] or found


def _header(path: Path) -> Counter[str] | None:
    """How many numbers of each type the file holds, or None where it is no safetensors file."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 0 < length <= _MAX_HEADER_BYTES:
                return None
            tensors = json.loads(stream.read(length))
        counted: Counter[str] = Counter()
        for name, tensor in tensors.items():
            if name != "__metadata__":
                count = 1
                for size in tensor["shape"]:
                    count *= int(size)
                counted[str(tensor["dtype"])] += count
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return counted


def _json(path: Path) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > _MAX_CONFIG_BYTES * (10 if path.name == _INDEX else 1):
            return None
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None

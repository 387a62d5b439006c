"""Whether weights are whole: what a checkpoint or an adapter needs, in a store's listing or in a folder on the node.

vLLM itself finds out late, or not at all: without the file of an index it loads the rest, and complains of tensors that
were not initialised.
"""

import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from runtime.engine.errors import WeightsError

Read = Callable[[str], bytes | None]
"""The content of a small file by its name; None where there is none."""

CONFIG = "config.json"
_CONFIGS = (CONFIG, "params.json")
"""What says which model it is; the second is Mistral's own format."""
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".npz")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Which files belong together. vLLM loads the first kind wherever there is a file of it, and others not at all."""
_ADAPTER_CONFIG = "adapter_config.json"
_ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt")

_ALL = "the weights"

_POINTER = b"version https://git-lfs"
_MAX_HEADER_BYTES = 100 * 1024 * 1024
"""The largest header that the safetensors library itself reads."""


def lacking_checkpoint(names: Collection[str], read: Read) -> Iterator[str]:
    """What a checkpoint lacks, by name or in a few words, from the names of its files; nothing where it is whole."""
    if not any(name in names for name in _CONFIGS):
        yield CONFIG
    if not any(name.endswith(_WEIGHTS) for name in names):
        yield _ALL
    index = _INDEXES[0] if any(name.endswith(".safetensors") for name in names) else _INDEXES[1]
    if index in names:
        yield from sorted(set(_indexed(read(index))) - set(names))


def lacking_adapter(names: Collection[str], read: Read) -> Iterator[str]:
    """What a LoRA adapter in the format of PEFT lacks."""
    del read
    if _ADAPTER_CONFIG not in names:
        yield _ADAPTER_CONFIG
    if not any(name in names for name in _ADAPTER_WEIGHTS):
        yield _ADAPTER_WEIGHTS[0]


Lacking = Callable[[Collection[str], Read], Iterator[str]]


def check_folder(folder: Path, lacking: Lacking) -> None:
    """Look at the weights in a folder on this node, without reading more than the beginning of each file.

    Raises:
        WeightsError: something is missing, cut off, or a pointer of Git LFS in place of weights.
        OSError: they cannot be read.
    """
    names = [path.name for path in folder.iterdir() if path.is_file()]
    missing = list(lacking(names, lambda name: (folder / name).read_bytes()))
    if missing:
        raise incomplete(str(folder), missing)
    for name in sorted(names):
        if name.endswith(_WEIGHTS):
            _check_file(folder / name)


def incomplete(where: str, missing: list[str], most: int = 5) -> WeightsError:
    """Says what is missing at a path or URI: the first few, and how many more there are."""
    named = ", ".join(f"`{name}`" if "." in name else name for name in missing[:most])
    verb = "is" if len(missing) == 1 and missing != [_ALL] else "are"
    more = f" and {len(missing) - most} more" if len(missing) > most else ""
    return WeightsError(f"`{where}` is incomplete: {named}{more} {verb} missing")


def _indexed(index: bytes | None) -> Iterator[str]:
    """The files that an index of weights names."""
    try:
        mapped = json.loads(index or b"{}")["weight_map"]
    except (ValueError, KeyError, TypeError):
        return
    if isinstance(mapped, dict):
        yield from (name for name in mapped.values() if isinstance(name, str))


def _check_file(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        begin = stream.read(len(_POINTER))
        if begin == _POINTER:
            raise WeightsError(f"`{path}` is a pointer of Git LFS, not weights")
        if path.suffix != ".safetensors":
            return
        length = int.from_bytes(begin[:8], "little")
        stream.seek(8)
        header = stream.read(length) if length <= _MAX_HEADER_BYTES else b""
    try:
        tensors = json.loads(header)
        end = (
            8
            + length
            + max((entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"), default=0)
        )
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise WeightsError(f"`{path}` is damaged: it does not begin as a safetensors file does") from None
    if end != size:
        raise WeightsError(f"`{path}` is cut off or damaged: it has {size} bytes of {end}")

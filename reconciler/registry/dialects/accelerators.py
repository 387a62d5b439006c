"""Accelerators: five ways in which model files named a kind of GPU, and the resource that Ray puts on nodes.

Aviary's example clusters declared resources of their own (`accelerator_type_a10`), Anyscale's files held the names of
Ray's Python constants (`accelerator_type:NVIDIA_L4`), then their values (`accelerator_type:L4`), and the first
`LLMConfig` had bare names in both spellings (`A100_40G`, `A100-40G`).
"""

import re
from collections.abc import Mapping
from functools import cache

from reconciler.registry.tables import ray_table

ACCELERATOR_PREFIX = "accelerator_type:"
"""Begins the name of the resource that Ray gives a node for its kind of accelerator."""

_WORD = re.compile(r"accelerator_type[:_]", re.IGNORECASE)

_MEANT = {
    "A10": "A10G",
    "TESLA-A10G": "A10G",
    "TESLA-T4": "T4",
    "TESLA-V100": "V100",
    "TESLA-P100": "P100",
    "TESLA-P4": "P4",
    "TESLA-K80": "K80",
    "T4-16G": "T4",
}
"""What a name stands for, upper-case, without vendor and cloud. The A10 of the old files is the A10G of AWS."""


def accelerator_type(name: str) -> str | None:
    """The name that Ray has for an accelerator in any spelling: `A100-40G` for `a100_40g`; None for what it has not."""
    plain = _plain(name).removeprefix("NVIDIA-").removesuffix("-AWS")
    return _known().get(_MEANT.get(plain, plain))


def accelerator_resource(resource: str) -> str | None:
    """The name of a resource today: `accelerator_type:A10G` for `accelerator_type_a10`, and any other as it is.

    None for `accelerator_type_cpu`, which only Aviary's own clusters declared. A true A10 can be asked for:
    `accelerator_type:A10` is Ray's own name and stays.
    """
    word = _WORD.match(resource)
    if word is None or resource == f"{ACCELERATOR_PREFIX}A10":
        return resource
    name = resource[word.end() :]
    if name.lower() == "cpu":
        return None
    known = accelerator_type(name)
    return resource if known is None else ACCELERATOR_PREFIX + known


def _plain(name: str) -> str:
    return name.upper().replace("_", "-")


@cache
def _known() -> Mapping[str, str]:
    """Ray's names by what all their spellings have in common."""
    return {_plain(name): name for name in ray_table().accelerator_types}

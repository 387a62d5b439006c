"""Resources that come as devices: a GPU is not a quantity but a thing, and a fraction of one stays on one.

The rules are those of `NodeResourceInstanceSet::TryAllocate` in Ray 2.60: whole numbers take devices that are entirely
free, what is less than one takes the device on which the least is left over, and 1.5 takes one and half of another.
The devices of a node are a tuple of what is free on each, in units, smallest first.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from reconciler.state.units import RESOLUTION

DEVICE_RESOURCES = frozenset(
    {"GPU", "neuron_cores", "TPU", "NPU", "HPU", "RBLN", "FURIOSA", "TTNPU", "MBLT"},
)
"""`predefined_unit_instance_resources` and `custom_unit_instance_resources` of Ray 2.60; every other resource is one
quantity per node."""

Devices = tuple[int, ...]


def devices_of(total: int) -> Devices:
    """All devices of a node that has `total` units, entirely free."""
    return (RESOLUTION,) * (total // RESOLUTION)


def take(devices: Devices, amount: int) -> Devices | None:
    """What is free when Ray has given `amount` away, or None when it does not: always the device that fits best."""
    return next(iter(ways(devices, amount)), None)


def ways(devices: Devices, amount: int) -> Iterator[Devices]:
    """Every different way to give `amount` away; the first one is Ray's."""
    if len(devices) == 1:
        if devices[0] >= amount:
            yield (devices[0] - amount,)
        return
    whole, rest = divmod(amount, RESOLUTION)
    entire = devices.count(RESOLUTION)
    if whole > entire:
        return
    # Entire devices are the last ones.
    left = (*(0 for _ in range(whole)), *devices[: len(devices) - whole]) if whole else devices
    if not rest:
        yield tuple(sorted(left))
        return
    for level, _ in groupby(left):
        if level >= rest:
            yield _moved(left, level, level - rest)


def give(devices: Devices, amount: int) -> Devices:
    """What is free when `amount` is given back: a fraction to the device in use that it fills up best, an estimate
    where several would do. More than is in use is not given."""
    whole, rest = divmod(amount, RESOLUTION)
    for _ in range(whole):
        devices = _moved(devices, devices[0], RESOLUTION) if devices else devices
    if rest:
        fitting = [level for level in devices if level + rest <= RESOLUTION]
        if fitting:
            devices = _moved(devices, max(fitting), max(fitting) + rest)
    return devices


def in_use(total: int, used: int, pieces: Iterable[int]) -> Devices:
    """The devices of a node of which `used` units are in use: `pieces` are the amounts known to be taken one by one.

    Of the rest only the sum is known. It is taken for whole devices and one fraction, which is what Ray makes of it as
    long as nothing leaves in between.
    """
    devices = devices_of(total)
    rest = used
    for piece in pieces:
        taken = take(devices, piece) if piece <= rest else None
        if taken is not None:
            devices = taken
            rest -= piece
    whole, fraction = divmod(rest, RESOLUTION)
    for amount in (*(RESOLUTION for _ in range(whole)), fraction):
        devices = _filled(devices, amount)
    return devices


def _filled(devices: Devices, amount: int) -> Devices:
    """Take an amount that is in use for certain, over several devices if no single one has it."""
    taken = take(devices, amount)
    if taken is not None:
        return taken
    left = []
    for level in reversed(devices):
        here = min(level, amount)
        amount -= here
        left.append(level - here)
    return tuple(sorted(left))


def _moved(devices: Devices, level: int, to: int) -> Devices:
    index = devices.index(level)
    return tuple(sorted((*devices[:index], *devices[index + 1 :], to)))

"""Amounts of resources as whole numbers, in the resolution that Ray itself has."""

from collections.abc import Iterable, Mapping

RESOLUTION = 10_000
"""Units in one logical resource (`FixedPoint`, `src/ray/common/scheduling/fixed_point.h`)."""

Units = dict[str, int]


def to_units(resources: Mapping[str, float]) -> Units:
    """Resources in ten-thousandths, without those of amount zero."""
    return {resource: units for resource, amount in resources.items() if (units := round(amount * RESOLUTION)) > 0}


def from_units(units: Mapping[str, int]) -> dict[str, float]:
    """The resources that `to_units` counted."""
    return {resource: amount / RESOLUTION for resource, amount in units.items()}


def sum_units(amounts: Iterable[Mapping[str, int]]) -> Units:
    """The sum by resource."""
    total: Units = {}
    for units in amounts:
        for resource, amount in units.items():
            total[resource] = total.get(resource, 0) + amount
    return total


def fits(units: Mapping[str, int], free: Mapping[str, int]) -> bool:
    """Whether the sums have what is wanted. Devices are another question (`state.devices`)."""
    return all(free.get(resource, 0) >= amount for resource, amount in units.items())


def subtract(free: Units, units: Mapping[str, int]) -> None:
    """Take the amounts away, in place."""
    for resource, amount in units.items():
        free[resource] -= amount

"""What is free on one node, as a value: nodes with the same left are equal, and planned alike."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.state.devices import DEVICE_RESOURCES, Devices, devices_of, give, in_use, ways
from reconciler.state.units import Units


class Free:
    """Free units by resource, and for those that come as devices what is free on each. Never changes."""

    __slots__ = ("_hash", "_key", "amounts", "devices")

    def __init__(self, amounts: Mapping[str, int], devices: Mapping[str, Devices]) -> None:
        self.amounts = amounts
        self.devices = devices
        self._key = (tuple(sorted(amounts.items())), tuple(sorted(devices.items())))
        self._hash = hash(self._key)

    @classmethod
    def of_node(cls, total: Units, used: Units, pieces: Mapping[str, Sequence[int]]) -> "Free":
        """A node that has `total`, of which `used` is in use; `pieces` as in `devices.in_use`."""
        amounts: Units = {}
        devices: dict[str, Devices] = {}
        for resource, amount in total.items():
            busy = min(used.get(resource, 0), amount)
            if resource in DEVICE_RESOURCES and devices_of(amount):
                devices[resource] = in_use(amount, busy, pieces.get(resource, ()))
                amounts[resource] = sum(devices[resource])
            else:
                amounts[resource] = amount - busy
        return cls(amounts, devices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Free) and self._hash == other._hash and self._key == other._key

    def __hash__(self) -> int:
        return self._hash

    def take(self, wanted: Iterable[Units]) -> "Free | None":
        """What is free when bundles that fit by the sums are taken one after the other, as a raylet does; None when
        no device has what one of them wants."""
        left = self
        for units in wanted:
            found = next(left.ways(units), None)
            if found is None:
                return None
            left = found
        return left

    def ways(self, units: Units) -> Iterator["Free"]:
        """Every different way to take one bundle that fits by the sums, Ray's first: they differ in the devices."""
        amounts = dict(self.amounts)
        fractions: list[tuple[str, int]] = []
        devices = dict(self.devices)
        for resource, amount in units.items():
            amounts[resource] -= amount
            if resource in devices:
                fractions.append((resource, amount))
        yield from self._with_devices(amounts, devices, fractions)

    def _with_devices(
        self, amounts: Units, devices: dict[str, Devices], wanted: list[tuple[str, int]]
    ) -> Iterator["Free"]:
        if not wanted:
            yield Free(amounts, devices)
            return
        (resource, amount), rest = wanted[0], wanted[1:]
        for way in ways(devices[resource], amount):
            yield from self._with_devices(amounts, {**devices, resource: way}, rest)

    def give(self, units: Units, total: Mapping[str, int]) -> "Free | None":
        """What is free when a bundle leaves a node that has `total`; None when that much is not in use there."""
        if any(total.get(resource, 0) - self.amounts.get(resource, 0) < amount for resource, amount in units.items()):
            return None
        amounts = dict(self.amounts)
        devices = dict(self.devices)
        for resource, amount in units.items():
            if resource in devices:
                devices[resource] = give(devices[resource], amount)
                amounts[resource] = sum(devices[resource])
            else:
                amounts[resource] += amount
        return Free(amounts, devices)

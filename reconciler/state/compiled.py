"""What one model, or the gateway, comes to on a cluster, in a form that can be kept from run to run."""

from typing import Any, Protocol

import msgspec

NO_MODELS = b'"models":{}'
"""How a gateway's compiled text says that it lists no models, the only place where it says so."""


class Compiled(msgspec.Struct, frozen=True, array_like=True):
    """One application as far as a model file (or the gateway's settings), the owner and the code package decide it.

    JSON parts stay text until they are needed: most applications are compared as they are.
    """

    text: msgspec.Raw
    """The application's config, canonical; a gateway's lists no models."""
    route: msgspec.Raw
    """A model's entry in the gateway's routing table; null for the gateway."""
    bundles: msgspec.Raw
    """The placement strategy and the amounts of each bundle of one replica."""
    rollout: msgspec.Raw
    """What is remembered of the wish how to replace replicas (`registry.recalled`)."""
    min_replicas: int
    max_replicas: int
    initial_replicas: int | None
    drain_s: float


class Memory(Protocol):
    """Compiled applications of earlier runs, for one owner, one set of packages and one state of the code."""

    def get(self, name: str, digest: str) -> Any:
        """The `Compiled` of that name and of a source with that digest, or None."""
        ...

    def put(self, name: str, digest: str, result: Any) -> None:
        """Remember a `Compiled`."""
        ...

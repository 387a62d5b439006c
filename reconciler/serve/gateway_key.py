"""The command line's own key to a gateway."""

from collections.abc import Mapping


def gateway_headers(token: str | None) -> Mapping[str, str]:
    """What a request to the gateway carries. In two places, because a proxy in front of it may want one for itself."""
    return {} if token is None else {"Authorization": f"Bearer {token}", "X-Api-Key": token}

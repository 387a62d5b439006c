"""The record of who applied what, kept in the gateway's `user_config`, where Ray takes it over in place.

It is written only into a document that is sent anyway, and no comparison counts it as a difference (`plan.diff`).
"""

from collections.abc import Collection, Mapping

from reconciler.apply.document import Document
from reconciler.plan.diff import PROVENANCE_KEY
from reconciler.state.json_value import JsonValue
from reconciler.state.names import GATEWAY_APPLICATION


def with_provenance(document: Document, provenance: Mapping[str, JsonValue], *, unmanaged: Collection[str]) -> Document:
    """A copy that records `provenance` (commit, tree, dirty, time, who, version) in our gateway, if it lists one."""
    if GATEWAY_APPLICATION not in document.configs or GATEWAY_APPLICATION in unmanaged:
        return document
    return document.with_gateway_value(PROVENANCE_KEY, dict(provenance))

"""What our write took away from somebody who wrote between our read and our PUT.

The PUT is total, so such a write is gone without an error, and both sides were answered 200. It leaves traces that a
read right after the PUT still finds: an application that Ray is deleting though nobody told us of it, and one that Ray
builds anew though our document left its code as it was. What is changed in place, or created and taken away within
the same turn of Ray's controller, leaves none: there the dashboard's log tells that somebody wrote
(`ServeReader.other_writers`), and often an update that Ray still carries out tells where.
"""

from reconciler.apply.document import Document, same_config
from reconciler.apply.errors import Differences
from reconciler.plan.code_version import code_version
from reconciler.state.live import ApplicationStatus, LiveState

_UPDATING = "UPDATING"
"""`ray.serve._private.common.DeploymentStatus` 2.60."""


def overwritten(before: LiveState, document: Document, after: LiveState) -> Differences:
    """The applications of others that vanished with our PUT, and those it turned back, by name."""
    known = {entry.name: entry for entry in before.applications}
    appeared, changed = [], []
    for entry in after.applications:
        earlier = known.get(entry.name)
        if entry.status is ApplicationStatus.DELETING:
            if earlier is None and entry.name not in document.configs:
                appeared.append(entry.name)
        elif earlier is not None and earlier.application is not None and earlier.deployments and not entry.deployments:
            config = document.configs.get(entry.name)
            if config is not None and code_version(config) == code_version(earlier.application.config):
                changed.append(entry.name)
    return Differences(changed=tuple(sorted(changed)), appeared=tuple(sorted(appeared)))


def under_update(before: LiveState, document: Document, after: LiveState) -> Differences:
    """The applications with a deployment that Ray updates though our document left them as they were. Not proof that
    somebody wrote, but where that is known, what they wrote to."""
    changed = []
    for entry in after.applications:
        earlier = before.application(entry.name)
        if earlier is None or earlier.application is None:
            continue
        config = document.configs.get(entry.name)
        if config is None or not same_config(config, earlier.application.config, before.global_logging_config):
            continue
        were = {found.name for found in earlier.deployments if found.status == _UPDATING}
        if any(found.status == _UPDATING and found.name not in were for found in entry.deployments):
            changed.append(entry.name)
    return Differences(changed=tuple(sorted(changed)))

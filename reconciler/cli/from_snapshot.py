"""A plan from the last recorded state of a cluster instead of the cluster itself."""

import json
from dataclasses import replace
from pathlib import Path

from reconciler.cli.environment import Environment
from reconciler.cli.failure import Failure
from reconciler.cli.session import open_target
from reconciler.plan.build import build_plan
from reconciler.plan.options import PlanOptions
from reconciler.plan.plan import Plan
from reconciler.plan.selection import select
from reconciler.state.snapshot import NoSnapshot, Snapshot, believed_equal, read_snapshot
from reconciler.state.traffic import UnknownTraffic

NO_ADDRESS = "no address (a snapshot)"


def plan_from_snapshot(
    environment: Environment, root: Path, cluster_name: str | None, options: PlanOptions, file: Path
) -> Plan:
    """What would be done if the cluster were as the snapshot says. No apply takes it.
    Raises Failure when the file is no snapshot, or that of another cluster."""
    snapshot = _read(file)
    target = open_target(environment, root, cluster_name)
    if snapshot.cluster != target.entry.name:
        raise Failure(
            f"`{file}` is a snapshot of the cluster `{snapshot.cluster}`, not of `{target.entry.name}`",
            f"add `--cluster {snapshot.cluster}`, or take another snapshot",
        )
    live = believed_equal(snapshot.live, target.desired)
    source = target.source(select(options.models, target.desired, live))
    usage = UnknownTraffic("a snapshot does not hold what the gateway counts")
    plan = build_plan(target.desired, live, address=NO_ADDRESS, source=source, options=options, usage=usage)
    return replace(plan, as_of=snapshot.time)


def _read(file: Path) -> Snapshot:
    try:
        return read_snapshot(json.loads(file.read_text(encoding="utf-8")))
    except NoSnapshot as error:
        raise Failure(f"`{file}`: {error.message}", error.hint) from None
    except ValueError:
        raise Failure(f"`{file}` is no snapshot: it is not JSON", "make one with `reconcile snapshot`") from None

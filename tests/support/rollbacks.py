"""A registry that is edited, committed, applied and rolled back, on Ray Serve in memory."""

import json
from pathlib import Path
from typing import Any

from reconciler.state.live import LiveState
from reconciler.state.provenance import Record, history
from tests.support.cli import MODEL, Ran, run
from tests.support.fake_serve import FakeServe

CHAT, OTHER, THIRD = (Path(f"registry/acme--{name}.yaml") for name in ("chat", "other", "third"))
SLOTS = "max_num_seqs: 4"


def change(slots: int, file: Path = CHAT) -> None:
    """Edit a model's engine arguments."""
    file.write_text(MODEL.format(name=file.stem.removeprefix("acme--")).replace(SLOTS, f"max_num_seqs: {slots}"))


def apply(serve: FakeServe, *options: str) -> Ran:
    """Apply what is checked out, which has to work."""
    ran = run("apply", "--auto-approve", *options, serve=serve)
    assert ran.code == 0, ran.err
    return ran


def rollback(serve: FakeServe, *options: str) -> Ran:
    """Roll back without a question."""
    return run("rollback", "--auto-approve", *options, serve=serve)


def live(serve: FakeServe) -> LiveState:
    """What the cluster reports, settled."""
    return serve.settle()


def configs(serve: FakeServe) -> dict[str, Any]:
    """What is submitted, but for what the gateway remembers and the options of a rollout."""
    found = {}
    for entry in live(serve).applications:
        assert entry.application is not None
        config = json.loads(json.dumps(dict(entry.application.config)))
        for deployment in config.get("deployments") or ():
            deployment.pop("max_surge_percent", None)
            (deployment.get("user_config") or {}).pop("provenance", None)
        found[entry.name] = config
    return found


def records(serve: FakeServe) -> tuple[Record, ...]:
    return history(live(serve), "test")

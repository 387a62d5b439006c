"""Writing down who applied what, in the gateway's `user_config`, where Ray takes it over in place.

The first document that is sent says that the run has begun, so that one that is killed is on record as well; one more
document at its end says what became of it. No comparison counts any of it as a difference (`plan.diff`).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from reconciler.apply.clock import Clock
from reconciler.apply.document import Config, Document
from reconciler.apply.errors import StateUnknown
from reconciler.apply.exchange import Exchange, read
from reconciler.apply.outcome import Outcome
from reconciler.plan.standing import standing
from reconciler.serve.protocols import ServeReader
from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.names import GATEWAY_APPLICATION, PROVENANCE_KEY
from reconciler.state.provenance import (
    HISTORY_KEY,
    LOAD_SECONDS_KEY,
    MAX_RECORDS,
    Names,
    Record,
    history,
    load_seconds,
)

SETTLE_S = 5.0
"""Seconds that Ray gets to say RUNNING again after the last document; it takes about a quarter of one."""
_LOOK_S = 0.05

HELD = "held"
"""What the count of held actions is called beside the results."""


def with_provenance(document: Document, record: Record, live: LiveState, *, unmanaged: Collection[str]) -> Document:
    """A copy whose gateway remembers, beside what it remembers in `live`, that the run of `record` has begun.

    A gateway of somebody else stays as it is live; without a gateway nothing is remembered.
    """
    gateway = live.application(GATEWAY_APPLICATION)
    if GATEWAY_APPLICATION not in document.configs:
        return document
    if GATEWAY_APPLICATION in unmanaged:
        # What it remembers itself may have changed since the plan, which is no difference.
        config: Config | None = gateway.application.config if gateway and gateway.application else None
        return document if config is None else document.with_config(GATEWAY_APPLICATION, config)
    earlier = tuple(entry for entry in history(live) if entry != record)
    return _remembering(document, (record, *earlier), load_seconds(live))


def conclude(
    record: Record, outcomes: Sequence[Outcome], *, held: int, owner: str, exchange: Exchange
) -> LiveState | None:
    """Write down what became of the run of `record`, over whatever is live now: that, or None where there is no gateway
    to do so.

    Raises what `Exchange.read` and `Exchange.send` raise.
    """
    live = exchange.read()
    document = Document.of_live(live)
    gateway = document.configs.get(GATEWAY_APPLICATION)
    if gateway is None or Application(gateway).owner != owner:
        return None
    known = history(live, owner)
    ended = replace(
        record,
        counts={**Counter(outcome.result.value for outcome in outcomes), **({HELD: held} if held else {})},
        failed=Names.of([outcome.application for outcome in outcomes if outcome.result.is_failure]),
        left=standing(live, owner),
    )
    # A gateway that went back to its previous config has forgotten that this run began.
    begun = known if record in known else (record, *known)
    records = tuple(ended if entry == record else entry for entry in begun)
    measured = {entry.application: entry.load_seconds for entry in outcomes if entry.load_seconds is not None}
    exchange.send(_remembering(document, records, {**load_seconds(live, owner), **measured}), live)
    return live


def _remembering(document: Document, records: Sequence[Record], seconds: Mapping[str, float]) -> Document:
    """The document with these records, newest first, and the load times of the applications that it lists."""
    value: dict[str, JsonValue] = {
        **records[0].plain,
        HISTORY_KEY: [entry.plain for entry in records[:MAX_RECORDS]],
        LOAD_SECONDS_KEY: {name: round(seconds[name], 1) for name in sorted(seconds.keys() & document.configs.keys())},
    }
    return document.with_gateway_value(PROVENANCE_KEY, value)


def settle(reader: ServeReader, before: LiveState, clock: Clock) -> None:
    """Wait until what ran before a document was sent runs again: Ray calls everything DEPLOYING that a PUT lists, for a
    moment."""
    ran = {entry.name for entry in before.applications if entry.status is ApplicationStatus.RUNNING}
    until = clock.now() + SETTLE_S
    try:
        while clock.now() < until and any(
            entry.status is ApplicationStatus.DEPLOYING for entry in read(reader).applications if entry.name in ran
        ):
            clock.sleep(_LOOK_S)
    except StateUnknown:
        # It is written down; a dashboard that does not answer now is no reason to say otherwise.
        return

"""The real request that a new version must answer, and when there is nobody to ask."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from reconciler.apply.document import Document
from reconciler.apply.outcome import Result
from reconciler.apply.smoke import SmokeAnswer, SmokeFailed, SmokeTest
from reconciler.apply.watch import Watch
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.names import GATEWAY_APPLICATION

SIDE_BY_SIDE = 8
"""Questions under way at a time."""


def put_questions(watches: Sequence[Watch], expected: Document, smoke: SmokeTest) -> list[SmokeAnswer | SmokeFailed]:
    """Ask each of them, several at a time: one that answers late keeps no other one waiting. What came of it, in their
    order."""

    def ask(watched: Watch) -> SmokeAnswer | SmokeFailed:
        try:
            return put_question(watched, expected, smoke)
        except SmokeFailed as error:
            return error

    if len(watches) < 2:
        return [ask(watched) for watched in watches]
    with ThreadPoolExecutor(SIDE_BY_SIDE, "question") as pool:
        return list(pool.map(ask, watches))


def put_question(watched: Watch, expected: Document, smoke: SmokeTest) -> SmokeAnswer:
    """Ask a model and its new adapters for a completion or an embedding, and the gateway for its models. Raises
    `SmokeFailed`."""
    if watched.name != GATEWAY_APPLICATION:
        model_id = watched.model_id or ""
        kind = str(expected.routes[model_id].get("kind"))
        answers = [smoke.ask(name, kind) for name in (model_id, *(f"{model_id}:{each}" for each in watched.adapters))]
        return replace(answers[0], seconds=sum(answer.seconds for answer in answers))
    begun = time.monotonic()
    listed = smoke.models()
    missing = sorted(expected.routes.keys() - listed)
    if missing:
        raise SmokeFailed(
            f"the gateway does not list {', '.join(f'`{model_id}`' for model_id in missing)}", settling=True
        )
    return SmokeAnswer("its models", ", ".join(sorted(expected.routes)), time.monotonic() - begun)


def nobody_to_ask(watched: Watch, gateway: Watch | None, expected: Document, live: LiveState) -> str | None:
    """Why a model that runs cannot be asked through the gateway, which is not the model's fault; None when it can."""
    if watched.name == GATEWAY_APPLICATION:
        return None
    if watched.model_id not in expected.routes:
        return "the gateway has no route to it"
    if gateway is not None and gateway.outcome is not None and gateway.outcome.result is Result.FAILED:
        return "the gateway failed"
    entry = live.application(GATEWAY_APPLICATION)
    status = entry.status if entry else ApplicationStatus.NOT_STARTED
    return None if status in (ApplicationStatus.RUNNING, ApplicationStatus.DEPLOYING) else f"the gateway is {status}"

"""The real request that a new version must answer, and when there is nobody to ask."""

import time

from reconciler.apply.document import Document
from reconciler.apply.outcome import Result
from reconciler.apply.smoke import SmokeAnswer, SmokeFailed, SmokeTest
from reconciler.apply.watch import Watch
from reconciler.state.live import ApplicationStatus, LiveState
from reconciler.state.names import GATEWAY_APPLICATION


def put_question(watched: Watch, expected: Document, smoke: SmokeTest) -> SmokeAnswer:
    """Ask a model for a completion or an embedding, and the gateway for its models. Raises `SmokeFailed`."""
    if watched.name != GATEWAY_APPLICATION:
        model_id = watched.model_id or ""
        return smoke.ask(model_id, str(expected.routes[model_id].get("kind")))
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

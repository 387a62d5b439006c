"""Small registries for apply, and what can come between an apply and its end."""

from collections.abc import Callable
from typing import Any

from reconciler.registry.registry import ModelEntry
from reconciler.serve.errors import PutRefused, Unreachable
from tests.support.fake_serve import Hook
from tests.support.stage import Stage, no_answer
from tests.support.states import desired, model, replicas

CHAT, CODER = "org--chat", "org--coder"
FAILURE = "CUDA out of memory. Tried to allocate 2 GiB"
CHAT_MODEL, CODER_MODEL = model("org/chat"), model("org/coder")
BROKEN_MODEL = model("org/chat", engine={"engine_kwargs": {"fail": FAILURE}})
ONE = desired(CHAT_MODEL)
TWO = desired(CHAT_MODEL, CODER_MODEL)
RESTARTED = desired(model("org/chat", engine={"engine_kwargs": {"max_num_seqs": 8}}))
SCALED = desired(model("org/chat", deployment=replicas(1, 3)))
BROKEN = desired(BROKEN_MODEL)


def restarted(model_id: str) -> ModelEntry:
    """A model with another engine argument."""
    return model(model_id, engine={"engine_kwargs": {"max_num_seqs": 8}})


def broken(model_id: str, failure: str = FAILURE, **sections: Any) -> ModelEntry:
    """A model that cannot start."""
    return model(model_id, engine={"engine_kwargs": {"fail": failure}}, **sections)


def unanswered(model_id: str, *, settling: bool = False, times: int = 10_000) -> Callable[[str], None]:
    """The first questions to a model get no answer."""
    left = [times]

    def trouble(asked: str) -> None:
        if asked == model_id and left[0]:
            left[0] -= 1
            raise no_answer(settling)

    return trouble


def meddling(stage: Stage) -> Callable[[str], None]:
    """Somebody else changes the model just when it gives no answer."""

    def trouble(asked: str) -> None:
        intrude(stage, {**stage.config(CHAT), "route_prefix": "/mine"})
        raise no_answer()

    return trouble


def raising(error: Exception, times: int = 1) -> Hook:
    """A hook that raises so many times."""
    left = [times]

    def hook(document: object) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return hook


def refuse_second(stage: Stage) -> None:
    """Refuse everything after the first PUT."""
    if stage.serve.puts:
        raise PutRefused(400, "no")


def stuck_after_rollback(stage: Stage) -> Hook:
    """Time stands still for the replicas once the second document was sent."""

    def hook(document: object) -> None:
        if len(stage.serve.puts) == 2:
            stage.serve.advance = lambda seconds: setattr(stage.serve, "now", stage.serve.now + seconds)  # type: ignore[method-assign]

    return hook


def applications(stage: Stage, *more: Any, without: str = "") -> list[Any]:
    """What is live, with these in place of or beside it."""
    names = {without, *(config["name"] for config in more)}
    live = stage.live().applications
    kept = [entry.application.config for entry in live if entry.application and entry.name not in names]
    return [*kept, *more]


def intrude(stage: Stage, *more: Any, without: str = "") -> None:
    """Somebody else writes."""
    before, stage.serve.before_read = stage.serve.before_read, None
    stage.serve.intrude({**stage.live().options, "applications": applications(stage, *more, without=without)})
    stage.serve.before_read = before


def later(stage: Stage, read: int, act: Callable[[], None]) -> None:
    """Act just before a read, counted from now."""
    left = [read + 1]

    def hook() -> None:
        left[0] -= 1
        if left[0] == 0:
            act()

    stage.serve.before_read = hook


def away(stage: Stage, *, first: int, last: int) -> None:
    """The dashboard answers none of these reads, counted from now."""
    count = [0]

    def hook() -> None:
        count[0] += 1
        if first <= count[0] <= last:
            raise Unreachable("gone")

    stage.serve.before_read = hook

"""Questions to several models are under way at the same time, and looks at the cluster follow one another fast."""

from threading import Barrier

from reconciler.apply.document import Document
from reconciler.apply.pursuit import POLL_S, QUICK_POLL_S
from reconciler.apply.question import SIDE_BY_SIDE, put_questions
from reconciler.apply.smoke import SmokeAnswer, SmokeFailed
from reconciler.apply.watch import resumed
from tests.support.stage import Stage, staged
from tests.support.states import desired, model
from tests.support.trouble import ONE, RESTARTED, TWO


class Together:
    """Answers only when as many are asked at once as were announced."""

    def __init__(self, parties: int) -> None:
        self._barrier = Barrier(parties, timeout=10)

    def ask(self, model_id: str, kind: str) -> SmokeAnswer:
        self._barrier.wait()
        if model_id == "org/m1":
            raise SmokeFailed("no", settling=True)
        return SmokeAnswer("a completion", model_id, 0.1)

    def models(self) -> frozenset[str]:
        return frozenset()


def test_models_are_asked_side_by_side_and_answers_keep_their_order() -> None:
    names = [f"org/m{number}" for number in range(SIDE_BY_SIDE)]
    state = desired(*(model(name) for name in names))
    document = Document({}, {entry.name: entry.application.config for entry in state.applications})
    watches = [resumed(name.replace("/", "--"), name, 60.0, 0.0) for name in names]
    found = put_questions(watches, document, Together(len(names)))
    assert [isinstance(answer, SmokeFailed) for answer in found] == [name == "org/m1" for name in names]
    assert [answer.text for answer in found if isinstance(answer, SmokeAnswer)] == [*names[:1], *names[2:]]


def test_looks_follow_one_another_fast_at_first_and_once_a_second_later() -> None:
    stage = staged(ONE)
    stage.serve.startup_s = 80.0
    pauses: list[float] = []
    advance = stage.serve.advance

    def record(seconds: float) -> None:
        pauses.append(seconds)
        advance(seconds)

    stage.serve.advance = record  # type: ignore[method-assign]
    stage.apply(RESTARTED)
    assert pauses[0] == QUICK_POLL_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == POLL_S


def test_models_that_come_with_the_gateway_are_asked_at_the_same_look() -> None:
    stage = Stage()
    outcomes = stage.apply(TWO)
    assert len({outcome.seconds for outcome in outcomes.values()}) == 1
    assert {model_id for model_id, _ in stage.smoke.asked} == {"org/chat", "org/coder"}

"""Budgets: what is used in a minute and a day, who may go on, and that no count is lost with whoever kept it."""

import asyncio
import json
from typing import Any

import pytest
from ray.exceptions import ActorDiedError

from runtime.saas import ledger
from runtime.saas.budget import Budget, Ledger, Limit, Refusal, Used
from runtime.saas.ledger import LedgerActor, SharedLedger
from tests.runtime.saas.test_server import CHAT, ask, request, serving
from tests.support.upstream import ANSWER, Received, Wire, completion, delta

MODEL = "org/chat"
DAY = 86_400


class Clock:
    def __init__(self, now: float = 10 * DAY + 30.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def refused(found: tuple[Refusal | None, Used]) -> str | None:
    return None if found[0] is None else str(found[0].limit)


def test_a_budget_is_read_from_its_keys() -> None:
    prices = {"currency": "USD", "input_per_million": 2.0, "output_per_million": 10.0}
    budget = Budget.parse({"tokens_per_day": 9, "requests_per_minute": 2, "cost_per_day": 0.5}, prices)
    assert [str(limit) for limit in budget.limits] == ["2 requests a minute", "9 tokens a day", "0.5 cost a day"]
    assert budget.spent(1_000_000, 100_000) == {"tokens": 1_100_000, "cost": pytest.approx(3.0)}
    assert budget.counts_tokens
    assert not Budget.parse({"requests_per_day": 1}, None).counts_tokens


def test_requests_never_pass_their_limit_and_come_back_with_the_next_minute() -> None:
    clock = Clock()
    ledger = Ledger(clock)
    limits = (Limit("requests", "minute", 2),)
    assert [refused(ledger.admit(MODEL, {}, limits)) for _ in range(3)] == [None, None, "2 requests a minute"]
    refusal, _ = ledger.admit(MODEL, {}, limits)
    assert refusal is not None
    assert refusal.retry_after_s == 30
    assert refused(ledger.admit("another", {}, limits)) is None
    clock.now += 30
    assert refused(ledger.admit(MODEL, {}, limits)) is None


def test_tokens_are_passed_by_what_was_under_way_and_no_more() -> None:
    ledger = Ledger(Clock())
    limits = (Limit("tokens", "day", 100),)
    assert refused(ledger.admit(MODEL, {}, limits)) is None
    assert refused(ledger.admit(MODEL, {}, limits)) is None
    ledger.add(MODEL, {}, {"tokens": 90, "cost": 0})
    assert refused(ledger.admit(MODEL, {}, limits)) is None
    ledger.add(MODEL, {}, {"tokens": 90, "cost": 0})
    assert refused(ledger.admit(MODEL, {}, limits)) == "100 tokens a day"


def test_of_several_limits_the_last_to_end_says_when_to_come_back() -> None:
    ledger = Ledger(Clock())
    limits = (Limit("requests", "minute", 1), Limit("requests", "day", 1))
    ledger.admit(MODEL, {}, limits)
    refusal, _ = ledger.admit(MODEL, {}, limits)
    assert refusal is not None
    assert (str(refusal.limit), refusal.retry_after_s) == ("1 requests a day", DAY - 30)


def test_a_ledger_that_forgot_learns_from_whoever_asks() -> None:
    clock = Clock()
    limits = (Limit("requests", "day", 3),)
    _, known = Ledger(clock).admit(MODEL, {}, limits)
    fresh = Ledger(clock)
    assert refused(fresh.admit(MODEL, known, limits)) is None
    assert refused(fresh.admit(MODEL, known, limits)) is None
    assert refused(fresh.admit(MODEL, known, limits)) == "3 requests a day"


def test_what_was_known_of_an_earlier_window_counts_no_more() -> None:
    clock = Clock()
    limits = (Limit("requests", "minute", 1),)
    _, known = Ledger(clock).admit(MODEL, {}, limits)
    clock.now += 60
    assert refused(Ledger(clock).admit(MODEL, known, limits)) is None


class Call:
    """A method of an actor, without an actor."""

    def __init__(self, method: Any) -> None:
        self._method = method

    def remote(self, *arguments: Any) -> Any:
        return self._method(*arguments)


class InProcess:
    """The ledger's actor in this very process. It is gone where `gone` is set."""

    def __init__(self) -> None:
        self._actor = LedgerActor()
        self.gone = False

    def __getattr__(self, name: str) -> Call:
        if self.gone:
            raise ActorDiedError
        return Call(getattr(self._actor, name))


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    monkeypatch.setattr(ledger, "Ledger", lambda: Ledger(Clock()))
    actor = InProcess()
    monkeypatch.setattr(ledger, "_find", lambda: actor)
    monkeypatch.setenv("UPSTREAM_KEY", "sk-live-0123456789abcdef")
    return actor


def test_replicas_share_a_limit_and_go_on_by_themselves_while_the_ledger_is_away(shared: InProcess) -> None:
    async def run() -> list[bool]:
        limits = (Limit("requests", "day", 4),)
        first, second = SharedLedger(MODEL), SharedLedger(MODEL)
        found = [await one.admit(limits) is None for one in (first, second, first)]
        shared.gone = True
        # It knows of three; the other one knows of two, and so passes the limit by what it has not heard of.
        found += [await first.admit(limits) is None for _ in range(2)]
        shared.gone, shared._actor = False, LedgerActor()
        found.append(await first.admit(limits) is None)
        return found

    assert asyncio.run(run()) == [True, True, True, True, False, False]


def test_what_an_answer_took_is_counted_while_the_ledger_is_away_too(shared: InProcess) -> None:
    async def run() -> None:
        limits = (Limit("tokens", "day", 5),)
        one = SharedLedger(MODEL)
        shared.gone = True
        one.add({"tokens": 5, "cost": 0})
        await asyncio.gather(*one._telling)
        refusal = await one.admit(limits)
        assert refusal is not None
        assert not one._telling

    asyncio.run(run())


def test_a_used_up_budget_answers_in_openai_s_words(shared: InProcess) -> None:
    async def run() -> None:
        async with serving(completion, budget={"requests_per_minute": 1}) as (server, upstream):
            assert (await ask(server, request()))[0]["status"] == 200
            head, body = await ask(server, request())
            assert (head["status"], dict(head["headers"])["retry-after"]) == (429, "30")
            error = json.loads(body)["error"]
            assert (error["type"], error["code"]) == ("insufficient_quota", "budget_exceeded")
            assert "1 requests a minute" in error["message"]
            assert len(upstream.received) == 1

    asyncio.run(run())


@pytest.mark.parametrize("usage", [ANSWER["usage"], None, "many", {"prompt_tokens": "7"}, {"completion_tokens": -5}])
def test_tokens_are_those_the_service_counts_or_about_as_many(shared: InProcess, usage: Any) -> None:
    async def script(wire: Wire, received: Received) -> None:
        await wire.answer({**ANSWER, "usage": usage})

    async def run() -> float:
        async with serving(script, budget={"tokens_per_day": 1000}) as (server, _):
            await ask(server, request())
            await asyncio.gather(*server._ledger._telling)
        used = await shared._actor.add(MODEL, {}, {})
        return used["day"][1]["tokens"]

    found = asyncio.run(run())
    assert found == 10 if usage == ANSWER["usage"] else 10 < found < 100


def test_a_stream_is_asked_for_its_tokens_and_the_client_sees_what_it_asked_for(shared: InProcess) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 3}

    async def script(wire: Wire, received: Received) -> None:
        assert received.fields["stream_options"] == {"include_usage": True}
        await wire.events(delta("hi", "stop"), {"choices": [], "usage": usage})

    async def run(**asked: Any) -> str:
        async with serving(script, budget={"cost_per_day": 1.0}, prices=PRICES) as (server, _):
            _, body = await ask(server, request(stream=True, **asked))
            await asyncio.gather(*server._ledger._telling)
            return body.decode()

    hidden = asyncio.run(run())
    assert "usage" not in hidden
    assert hidden.count("\n\n") == 2
    assert "usage" in asyncio.run(run(stream_options={"include_usage": True}))
    used = asyncio.run(shared._actor.add(MODEL, {}, {}))
    assert used["day"][1]["cost"] == pytest.approx(2 * (7 * 2 + 3 * 10) / 1e6)


PRICES = {"currency": "USD", "input_per_million": 2.0, "output_per_million": 10.0}


def test_what_was_refused_or_left_takes_no_tokens_but_those_that_came(shared: InProcess) -> None:
    async def refuses(wire: Wire, received: Received) -> None:
        await wire.answer({}, 400)

    async def run() -> None:
        async with serving(refuses, budget={"tokens_per_day": 1000}) as (server, _):
            await ask(server, request(CHAT))
            await asyncio.gather(*server._ledger._telling)
        used = await shared._actor.add(MODEL, {}, {})
        assert used["day"][1]["tokens"] == 0
        assert used["day"][1]["requests"] == 1

    asyncio.run(run())

"""One question to a model, against a gateway over real HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import CLUSTER, run
from tests.support.fake_gateway import CHAT, VECTORS, FakeGateway, fake_gateway


@pytest.fixture
def gateway(registry: Path) -> Iterator[FakeGateway]:
    with fake_gateway() as found:
        cluster = CLUSTER.replace("http://llm.example", found.address)
        # The token of the dashboard is nobody's business who only asks a model.
        cluster = cluster.replace("8265\n", "8265\n  token: {env: NOT_SET}\n")
        (registry / "clusters" / "test.yaml").write_text(cluster)
        yield found


@pytest.mark.parametrize("way", ["--stream", "--no-stream"])
def test_the_answer_is_all_that_is_printed(gateway: FakeGateway, way: str) -> None:
    ran = run("query", CHAT, "say it backwards", way)
    assert (ran.code, ran.out, ran.err) == (0, "yas ti sdrawkcab \n", "")
    [(path, body)] = gateway.asked
    assert path == "/v1/chat/completions"
    assert body.pop("stream", False) == (way == "--stream")
    assert body == {"model": CHAT, "messages": [{"role": "user", "content": "say it backwards"}]}


def test_a_terminal_shows_it_as_it_comes_and_a_pipe_when_it_is_complete(gateway: FakeGateway) -> None:
    run("query", CHAT, "hello")
    run("query", CHAT, "hello", terminal=True)
    assert [body.get("stream", False) for _, body in gateway.asked] == [False, True]


def test_what_is_said_beside_the_question_is_sent(gateway: FakeGateway) -> None:
    run("query", CHAT, "hello", "--system", "Be brief.", "--max-tokens", "5", "--temperature", "0")
    assert gateway.asked[0][1] == {
        "model": CHAT,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "max_tokens": 5,
        "temperature": 0.0,
    }


def test_a_question_from_stdin_may_have_many_lines(gateway: FakeGateway) -> None:
    assert run("query", CHAT, "-", answer="one\ntwo\n").out == "eno owt \n"
    assert gateway.asked[0][1]["messages"][0]["content"] == "one\ntwo\n"


@pytest.mark.parametrize("way", ["--stream", "--no-stream"])
def test_a_raw_text_is_gone_on_with(gateway: FakeGateway, way: str) -> None:
    assert run("query", CHAT, "abc", "--raw", way).out == "cba \n"
    path, body = gateway.asked[0]
    assert (path, body["prompt"], "messages" in body) == ("/v1/completions", "abc", False)


def test_json_is_the_answer_as_it_came(gateway: FakeGateway) -> None:
    ran = run("query", CHAT, "abc", "--format", "json", terminal=True)
    assert json.loads(ran.out)["choices"][0]["message"]["content"] == "cba "


def test_an_embedding_model_answers_with_a_vector(gateway: FakeGateway) -> None:
    assert run("query", VECTORS, "abc").out == "[0.5, -1.0]\n"
    assert json.loads(run("query", VECTORS, "abc", "--format", "json").out)["data"][0]["embedding"] == [0.5, -1.0]
    assert gateway.asked[0] == ("/v1/embeddings", {"model": VECTORS, "input": "abc"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([VECTORS, "abc", "--temperature", "0"], "it takes no options of a conversation"),
        ([CHAT, "abc", "--raw", "--system", "x"], "there is no place for `--system`"),
        ([CHAT, "abc", "--stream", "--format", "json"], "it goes with `--no-stream`"),
        ([CHAT], "Missing argument"),
        ([CHAT, "abc", "--max-tokens", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(gateway: FakeGateway, arguments: list[str], said: str) -> None:
    ran = run("query", *arguments)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err
    assert not gateway.asked


def test_a_model_that_is_not_known_names_the_nearest(gateway: FakeGateway) -> None:
    ran = run("query", "acme/chta", "hello")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "error: There is no model `acme/chta`. Served: ...\n\n"
        "hint: did you mean `acme/chat`? `reconcile status` shows what runs\n"
    )
    assert "hint: `reconcile status` shows what runs" in run("query", "zzz", "hello").err


@pytest.mark.parametrize(
    ("status", "message", "hint"),
    [
        (503, "Model `acme/chat` is not available: its application is not deployed", "`reconcile status acme/chat`"),
        (429, "too many requests", "`reconcile status acme/chat`"),
        (401, "no key", "wants a key"),
        (400, "no chat template is allowed", "`reconcile query --raw`"),
    ],
)
@pytest.mark.parametrize("way", ["--stream", "--no-stream"])
def test_what_the_gateway_refuses_is_said_in_its_words(
    gateway: FakeGateway, status: int, message: str, hint: str, way: str
) -> None:
    gateway.refusal = status, {"message": message}
    ran = run("query", CHAT, "hello", way)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: {message}\n\nhint: ")
    assert hint in ran.err


def test_a_refusal_that_explains_itself_needs_no_hint(gateway: FakeGateway) -> None:
    gateway.refusal = 400, {"message": "temperature must be at most 2"}
    assert run("query", CHAT, "hello").err == "error: temperature must be at most 2\n"


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((502, "<html>Bad Gateway</html>"), "answered: <html>Bad Gateway</html>"),
        ((200, "<html>Log in</html>"), "what answers at http://127.0.0.1:"),
        ((500, {"message": ""}), "no explanation"),
    ],
)
def test_what_is_no_answer_of_a_gateway_is_said(gateway: FakeGateway, refusal: tuple[int, str], said: str) -> None:
    gateway.refusal = refusal
    ran = run("query", CHAT, "hello")
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


def test_an_answer_that_breaks_off_is_printed_so_far_and_fails(gateway: FakeGateway) -> None:
    gateway.breaks_after = 2
    ran = run("query", CHAT, "ab cd ef", "--stream")
    assert (ran.code, ran.out) == (1, "ba dc \n")
    assert "broke off" in ran.err


def test_an_error_in_the_middle_of_an_answer_is_said(gateway: FakeGateway) -> None:
    gateway.fails_after = 1
    ran = run("query", CHAT, "ab cd ef", "--stream")
    assert (ran.code, ran.out) == (1, "ba \n")
    assert "the replica is gone" in ran.err


def test_nobody_at_the_address_is_said(gateway: FakeGateway, registry: Path) -> None:
    file = registry / "clusters" / "test.yaml"
    file.write_text(file.read_text().replace(gateway.address, "http://127.0.0.1:9"))
    ran = run("query", CHAT, "hello")
    assert ran.code == 1
    assert "no answer from the gateway at http://127.0.0.1:9 (connection refused)" in ran.err


def test_an_answer_cut_short_by_its_limit_says_so_beside_it(gateway: FakeGateway) -> None:
    gateway.finish = "length"
    ran = run("query", CHAT, "abc")
    assert ran.out == "cba \n"
    assert "as many tokens as it may" in ran.err


def test_what_a_model_thinks_is_no_part_of_its_answer(gateway: FakeGateway) -> None:
    gateway.reasoning = "Backwards, then."
    ran = run("query", CHAT, "abc", "--stream")
    assert (ran.out, ran.err) == ("cba \n", "Backwards, then.\n")


def test_an_answer_cannot_change_the_terminal_and_reaches_a_pipe_as_it_is(gateway: FakeGateway) -> None:
    assert run("query", CHAT, "m13[\033", "--no-stream").out == "\033[31m \n"
    assert "\\x1b[31m" in run("query", CHAT, "m13[\033", terminal=True).out


def test_whoever_asks_by_hand_counts_as_a_user(gateway: FakeGateway) -> None:
    from runtime.gateway.traffic import OURS

    run("query", CHAT, "hello")
    assert gateway.agents[0].startswith("reconcile-query/")
    assert not gateway.agents[0].startswith(OURS)

"""A conversation with a model, against a gateway over real HTTP: from a pipe, and by a person at a terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cli import CLUSTER, run
from tests.support.fake_gateway import CHAT, VECTORS, FakeGateway, fake_gateway


@pytest.fixture
def gateway(registry: Path) -> Iterator[FakeGateway]:
    with fake_gateway() as found:
        (registry / "clusters" / "test.yaml").write_text(CLUSTER.replace("http://llm.example", found.address))
        yield found


def turns(gateway: FakeGateway) -> list[list[str]]:
    """What was said in each question that the gateway got."""
    return [[message["content"] for message in body["messages"]] for _, body in gateway.asked]


def test_each_line_of_a_pipe_is_a_question_that_knows_those_before(gateway: FakeGateway) -> None:
    ran = run("chat", CHAT, "--system", "Be brief.", "--max-tokens", "9", answer="ab cd\n\nef \\\ngh\n")
    assert (ran.code, ran.out, ran.err) == (0, "ba dc \nfe hg \n", "")
    assert turns(gateway) == [["Be brief.", "ab cd"], ["Be brief.", "ab cd", "ba dc ", "ef \ngh"]]
    assert gateway.asked[0][1]["max_tokens"] == 9


def test_a_conversation_can_begin_anew_and_end(gateway: FakeGateway) -> None:
    ran = run("chat", CHAT, answer="ab\n/reset\ncd\n/exit\nef\n")
    assert (ran.code, ran.out) == (0, "ba \ndc \n")
    assert turns(gateway) == [["ab"], ["cd"]]


def test_the_first_refusal_ends_it_where_nobody_can_ask_again(gateway: FakeGateway) -> None:
    gateway.refusal = 503, {"message": "Model `acme/chat` is not available: its application is not deployed"}
    ran = run("chat", CHAT, answer="ab\ncd\n")
    assert (ran.code, ran.out) == (1, "")
    assert "its application is not deployed" in ran.err
    assert "hint: `reconcile status acme/chat`" in ran.err
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    ("model", "said"), [("acme/chta", "did you mean `acme/chat`?"), (VECTORS, "makes vectors and does not talk")]
)
def test_a_model_that_cannot_talk_is_refused_at_once(gateway: FakeGateway, model: str, said: str) -> None:
    ran = run("chat", model, answer="ab\n")
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


class Person:
    """Somebody at a terminal in which `reconcile` runs."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self._unread = ""

    def types(self, text: str) -> None:
        """Press keys."""
        os.write(self._terminal, text.encode())

    def sees(self, text: str, limit_s: float = 60.0) -> str:
        """Read until the text is there; what came before and with it."""
        deadline = time.monotonic() + limit_s
        while text not in self._unread:
            assert time.monotonic() < deadline, f"{text!r} never came: {self._unread!r}"
            if select.select([self._terminal], [], [], 0.1)[0]:
                try:
                    self._unread += os.read(self._terminal, 65536).decode(errors="replace")
                except OSError:  # The other side is closed.
                    assert text in self._unread, f"{text!r} never came: {self._unread!r}"
        seen, text, self._unread = self._unread.partition(text)
        return seen + text


@contextmanager
def at_a_terminal(*arguments: str) -> Iterator[Person]:
    """A process of the command line with a terminal of its own, which is what turns Ctrl-C into a signal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from reconciler.cli.main import script; script()", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2])},
        start_new_session=True,
        preexec_fn=take_terminal,
    )
    os.close(theirs)
    try:
        yield Person(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def take_terminal() -> None:
    """Make stdin the terminal that controls this session."""
    import fcntl
    import termios

    signal.signal(signal.SIGINT, signal.default_int_handler)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_person_talks_stops_an_answer_and_leaves(gateway: FakeGateway) -> None:
    with at_a_terminal("chat", CHAT) as person:
        assert f"{CHAT} at {gateway.address}" in person.sees(">>> ")
        person.types("ab cd\r")
        assert "ba dc " in person.sees(">>> ")
        gateway.pause_s = 0.2
        person.types(" ".join(["xy"] * 500) + "\r")
        person.sees("yx yx ")
        person.types("\x03")
        person.sees("stopped")
        person.sees(">>> ")
        assert gateway.left.wait(30)
        gateway.pause_s = 0.0
        person.types("half a line\x03")
        person.sees(">>> ")
        person.types("ef \\\r")
        person.sees("... ")
        person.types("gh\r")
        assert "fe hg " in person.sees(">>> ")
        gateway.refusal = 503, {"message": "nobody there"}
        person.types("ij\r")
        assert "nobody there" in person.sees(">>> ")
        gateway.refusal = None
        person.types("/reset\r")
        person.sees("begins anew")
        person.sees(">>> ")
        person.types("/help\r")
        assert "forget the conversation" in person.sees(">>> ")
        person.types("kl\r")
        assert "lk " in person.sees(">>> ")
        person.types("\x04")
        assert person.process.wait(30) == 0
    asked = turns(gateway)
    assert asked[0] == ["ab cd"]
    # What was stopped counts as far as it went.
    assert asked[2][:3] == ["ab cd", "ba dc ", " ".join(["xy"] * 500)]
    assert asked[2][3].startswith("yx yx ")
    assert len(asked[2][3]) < 3 * 500
    assert asked[2][4] == "ef \ngh"
    assert asked[3][-1] == "ij"
    assert asked[4] == ["kl"]

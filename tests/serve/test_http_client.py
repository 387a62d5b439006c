"""The HTTP client over real sockets: what is sent, and every way in which no answer comes."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from reconciler.serve.errors import ServeError
from reconciler.serve.http_client import Answer, HttpClient, NoAnswer


class Echo(BaseHTTPRequestHandler):
    """Says what it was asked, and on which connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self._say(f"{self.command} {self.path} {self.client_address[1]} {self.headers.get('Authorization')}")

    do_PUT = do_GET

    def do_CONNECT(self) -> None:
        self._say("no tunnel", status=403)

    def _say(self, text: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
        self.close_connection = "close=yes" in self.path

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Tells when it has closed a connection."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.has_closed = Event()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.has_closed.set()


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that echoes; its port."""
    with server_that_echoes(tls) as server:
        yield server.server_port


@contextmanager
def server_that_echoes(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that echoes."""
    with Server(("127.0.0.1", 0), Echo) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """A server that sends these bytes and hangs up; without any it waits. Its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def answer_once() -> None:
            connection, _ = server.accept()
            held.append(connection)
            connection.recv(65536)
            if answer:
                connection.sendall(answer)
                connection.close()

        Thread(target=answer_once, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            for connection in held:
                connection.close()


def get(address: str, **options: str) -> Answer:
    client = HttpClient(address, timeout_s=0.3, **options)
    try:
        return client.request("GET", "/x")
    finally:
        client.close()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate that nobody signed, and what serves with it."""
    pem = tmp_path / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(pem), "-out", str(tmp_path / "cert.pem"), "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", pem)
    return tmp_path / "cert.pem", context


def test_requests_share_a_connection_and_carry_a_query() -> None:
    with serving() as port:
        client = HttpClient(f"http://127.0.0.1:{port}/below/", timeout_s=5)
        first = client.request("GET", "/a", params={"what": "b c", "more": "&"})
        second = client.request("PUT", "/a", json={"key": [1, "é"]})
        client.close()
    assert first.status_code == 200
    assert first.text.startswith("GET /below/a?what=b+c&more=%26 ")
    assert second.text.split()[2] == first.text.split()[2]


def test_credentials_in_the_address_are_sent() -> None:
    with serving() as port:
        assert get(f"http://me:p%40ss@127.0.0.1:{port}").text.endswith("Basic bWU6cEBzcw==")


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    with server_that_echoes() as server:
        client = HttpClient(f"http://127.0.0.1:{server.server_port}", timeout_s=5)
        first = client.request("GET", "/", params={"close": "yes"})
        assert server.has_closed.wait(10)
        second = client.request("GET", "/")
        client.close()
    assert first.text.split()[2] != second.text.split()[2]


def test_requests_of_several_threads_have_a_connection_each() -> None:
    with serving() as port:
        client = HttpClient(f"http://127.0.0.1:{port}", timeout_s=5)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda number: client.request("GET", f"/{number}").text.split()[1], range(40)))
        client.close()
    assert answers == [f"/{number}" for number in range(40)]


def test_an_error_status_and_a_redirect_are_answers() -> None:
    with saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") as port:
        assert get(f"http://127.0.0.1:{port}").status_code == 302


def test_nobody_listens() -> None:
    with pytest.raises(NoAnswer, match=r"^connection refused$") as raised:
        get("http://127.0.0.1:1")
    assert raised.value.never_connected
    assert not raised.value.is_timeout


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(NoAnswer, match=r"name|resolution") as raised:
        get("http://nowhere.invalid")
    assert raised.value.never_connected


def test_silence() -> None:
    with saying(b"") as port, pytest.raises(NoAnswer, match=r"^no answer in time$") as raised:
        get(f"http://127.0.0.1:{port}")
    assert raised.value.is_timeout
    assert not raised.value.never_connected


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"\0\0\0\r\n\r\n"])
def test_half_an_answer_is_none(answer: bytes) -> None:
    with saying(answer) as port, pytest.raises(NoAnswer) as raised:
        get(f"http://127.0.0.1:{port}")
    assert not raised.value.never_connected
    assert not raised.value.is_timeout
    assert raised.value.reason


def test_a_certificate_is_checked_and_may_be_named(certificate: tuple[Path, ssl.SSLContext]) -> None:
    file, context = certificate
    with serving(context) as port:
        assert get(f"https://127.0.0.1:{port}", ca_file=str(file)).status_code == 200
        with pytest.raises(NoAnswer, match="certificate verify failed") as raised:
            get(f"https://127.0.0.1:{port}")
        assert raised.value.is_tls


def test_plain_http_is_no_tls() -> None:
    refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with saying(refusal) as port, pytest.raises(NoAnswer, match="WRONG_VERSION_NUMBER") as raised:
        get(f"https://127.0.0.1:{port}")
    assert raised.value.is_tls


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
def test_what_is_far_away_is_asked_through_the_proxy_of_the_environment(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with serving() as port:
        monkeypatch.setenv(variable, f"http://me:secret@127.0.0.1:{port}")
        assert get("http://ray.invalid:8265").text.startswith("GET http://ray.invalid:8265/x ")
        with pytest.raises(NoAnswer, match="connection refused"):
            get("http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "ray.invalid")
        with pytest.raises(NoAnswer, match=r"name|resolution"):
            get("http://ray.invalid:8265")


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "https://127.0.0.1:1"])
def test_a_proxy_of_another_kind_is_refused(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(ServeError, match=r"none of plain HTTP \(`\w+://`\)"):
        get("https://ray.invalid:8265")


def test_a_proxy_that_lets_nothing_through_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{port}")
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{port}")
        with pytest.raises(NoAnswer, match="403"):
            get("https://ray.invalid:8265")


@contextmanager
def half_an_answer(*parts: bytes) -> Iterator[tuple[HttpClient, Event]]:
    """A client of a server that sends these parts and then neither sends more nor hangs up; and what is set once the
    client has hung up."""
    left = Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                for part in parts:
                    connection.sendall(part)
                connection.recv(1)
                left.set()

        Thread(target=answer_once, daemon=True).start()
        yield HttpClient(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.5), left


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_open_answer_gives_each_line_as_soon_as_it_is_there() -> None:
    with half_an_answer(CHUNKED, b"4\r\na\r\nb\r\n2\r\nc\n\r\n") as (client, left):
        with client.open("GET", "/x") as answer:
            assert answer.status_code == 200
            lines = answer.lines()
            assert [next(lines), next(lines)] == [b"a", b"bc"]
            with pytest.raises(NoAnswer, match="in time"):
                next(lines)
        assert left.wait(10)


def test_closing_an_open_answer_tells_the_server() -> None:
    with half_an_answer(CHUNKED, b"2\r\na\n\r\n") as (client, left):
        with client.open("GET", "/x") as answer:
            assert next(answer.lines()) == b"a"
            assert not left.is_set()
        assert left.wait(10)


def test_an_open_answer_that_never_begins_is_no_answer() -> None:
    with half_an_answer() as (client, left):
        with pytest.raises(NoAnswer, match="in time"):
            client.open("GET", "/x")
        assert left.wait(10)


def test_an_open_answer_can_be_read_at_once() -> None:
    with serving() as port:
        client = HttpClient(f"http://127.0.0.1:{port}/below", timeout_s=5)
        with client.open("PUT", "/a", json={"key": 1}) as answer:
            assert answer.whole().text.startswith("PUT /below/a ")
        client.close()
    with half_an_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") as (client, _):
        answer = client.open("GET", "/x")
        with answer, pytest.raises(NoAnswer, match="in time"):
            answer.whole()

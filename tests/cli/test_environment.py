"""The doors to the real world, as far as they open without one."""

import io
from pathlib import Path

import pytest

from reconciler.apply.clock import SystemClock
from reconciler.apply.smoke import GatewaySmoke
from reconciler.cli.console import Console
from reconciler.cli.environment import gateway_smoke, process_environment, system_clock
from reconciler.cli.main import main
from reconciler.cli.source_lines import source_lines
from reconciler.diagnostics import Diagnostic, Position
from tests.support.cli import write_registry


def test_the_real_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(gateway_smoke("http://127.0.0.1:1", None), GatewaySmoke)
    assert isinstance(system_clock(), SystemClock)
    monkeypatch.setenv("RECONCILER_LOCAL_DIR", "/somewhere")
    assert process_environment().local_directory == Path("/somewhere")


def test_the_process_arguments_and_the_real_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_LOCAL_DIR", raising=False)
    write_registry(tmp_path / "registry", "chat")
    (tmp_path / "registry" / "clusters" / "test.yaml").write_text("owner: test\nlocal: true\n")
    monkeypatch.setattr("sys.argv", ["reconcile", "status"])
    assert main() == 1
    assert "start it with `reconcile local up`" in capsys.readouterr().err


def test_a_stream_that_is_not_utf8_gets_question_marks() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Console({}, io.StringIO(), stream, io.StringIO()).out("± restart\n")
    assert raw.getvalue() == b"? restart\n"


def test_a_file_that_cannot_be_read_has_no_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    monkeypatch.setattr(Path, "read_text", refuse)
    position = Position(str(path), 1, 1)
    assert source_lines([Diagnostic(position, "rule", "message")])(position) is None

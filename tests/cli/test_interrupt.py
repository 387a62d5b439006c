import io
import signal
import subprocess
import sys

import pytest

from reconciler.cli.console import Console
from reconciler.cli.interrupt import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_asks_to_stop(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with interruptible(Console({}, io.StringIO(), io.StringIO(), io.StringIO())) as stop:
        assert not stop.requested
        signal.raise_signal(number)
        assert stop.requested
    assert signal.getsignal(number) == before


def test_a_second_signal_ends_at_once_with_130() -> None:
    code = """
import os, signal, sys
from reconciler.cli.console import Console
from reconciler.cli.interrupt import interruptible
with interruptible(Console(os.environ, sys.stdin, sys.stdout, sys.stderr)):
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)
    print("not reached")
"""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert process.returncode == 130
    assert process.stdout == ""
    assert "interrupted at once" in process.stderr

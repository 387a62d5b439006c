"""Failures of the real vLLM, and of the libraries through which it fetches a model, are told by their cause."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.apply.causes import PATTERNS
from reconciler.apply.diagnosis import diagnose

pytestmark = pytest.mark.vllm


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """What was said of each failure, by the name of its cause."""
    top = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(top)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.engine_failures"],
        env=environment,
        cwd=top,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("said:")]
    found: dict[str, str] = json.loads(line.removeprefix("said:"))
    return found


NAMES = (
    "bad_argument",
    "bad_value",
    "context_too_long",
    "batch_too_small",
    "unsupported_model",
    "remote_code",
    "indivisible_heads",
    "local_path_missing",
    "partial_weights",
    "partial_weights: none",
    "missing_token",
    "gated_model",
    "invalid_token",
    "unknown_model",
    "hub_busy",
)


def test_every_failure_is_looked_at(said: dict[str, str]) -> None:
    assert said.keys() == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_cause_is_named(name: str, said: dict[str, str]) -> None:
    [pattern] = [pattern for pattern in PATTERNS if pattern.name == name.partition(":")[0]]
    cause = diagnose("The deployment failed to start 3 times in a row.", said[name])
    assert cause.sentence.startswith(pattern.sentence.partition("{")[0].rstrip(": ")), said[name]
    assert cause.evidence

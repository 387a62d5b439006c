"""`reconcile query` and `reconcile chat` with real models."""

import json
from typing import Any

import pytest

from reconciler.cli.options import LOCAL_DIRECTORY_VARIABLE
from reconciler.serve.local.cluster import LocalCluster
from tests.support.cli import Ran, run
from tests.support.deployed import Deployed
from tests.support.scenarios import MODEL, VECTORS

pytestmark = pytest.mark.vllm


@pytest.fixture
def reconcile(tiny: Deployed, ray_cluster: LocalCluster) -> Any:
    """Runs a command for the models that run."""

    def reconcile(command: str, model: str, *arguments: str, answer: str = "") -> Ran:
        variables = {"TERM": "dumb", LOCAL_DIRECTORY_VARIABLE: str(ray_cluster.directory)}
        return run(command, model, *arguments, "--registry", tiny.registry, variables=variables, answer=answer)

    return reconcile


def test_a_question_is_answered_the_same_in_every_way(reconcile: Any) -> None:
    asked = ("Hello", "--temperature", "0", "--max-tokens", "12")
    streamed, whole = reconcile("query", MODEL, *asked, "--stream"), reconcile("query", MODEL, *asked, "--no-stream")
    assert (streamed.code, len(streamed.out)) == (0, 13), streamed
    assert streamed == whole
    assert "as many tokens as it may" in whole.err
    document = json.loads(reconcile("query", MODEL, *asked, "--format", "json").out)
    assert document["choices"][0]["message"]["content"] + "\n" == whole.out
    assert reconcile("chat", MODEL, *asked[1:], answer="Hello\n").out == whole.out


def test_a_text_is_gone_on_with_and_a_vector_is_made(reconcile: Any) -> None:
    raw = reconcile("query", MODEL, "Once upon a time", "--raw", "--temperature", "0", "--max-tokens", "5")
    assert (raw.code, len(raw.out)) == (0, 6), raw
    vector = reconcile("query", VECTORS, "Hello")
    assert len(json.loads(vector.out)) == 128, vector


def test_a_conversation_is_remembered(reconcile: Any) -> None:
    said = ("--temperature", "0", "--max-tokens", "8")
    ran = reconcile("chat", MODEL, *said, answer="Hello\nAnd now?\n/reset\nHello\n")
    assert ran.code == 0, ran
    first, second, third = ran.out.splitlines()
    assert first == third
    assert second


def test_a_model_that_is_not_served_is_told(reconcile: Any) -> None:
    ran = reconcile("query", "local/tiny-chatt", "Hello")
    assert (ran.code, ran.out) == (1, "")
    assert "There is no model `local/tiny-chatt`" in ran.err
    assert f"did you mean `{MODEL}`?" in ran.err

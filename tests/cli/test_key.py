"""A key is shown once; what goes into the cluster file opens nothing."""

import re
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from reconciler.registry.cluster import Gateway, GatewayKey
from reconciler.registry.secret import find_secrets
from tests.support.cli import Ran, run


def made(*arguments: str) -> tuple[str, GatewayKey]:
    """The key that is printed, and what the printed lines mean in a cluster file."""
    ran: Ran = run("key", *arguments)
    assert ran.code == 0, ran.err
    told, _, lines = ran.err.partition("\n")
    assert told == "add to the cluster file, below `gateway`:"
    [key] = Gateway.model_validate({**yaml.safe_load(lines), "token": {"env": "KEY"}}).keys
    return ran.out.rstrip("\n"), key


def test_the_key_opens_what_the_lines_describe() -> None:
    secret, key = made("ci")
    assert key == GatewayKey(name="ci", sha256=sha256(secret.encode()).hexdigest(), models=["*"])
    secret, key = made("team-a", "--model", "org/*", "--model", "*-7b")
    assert key.models == ["org/*", "*-7b"]


def test_the_key_itself_is_not_among_the_lines_and_would_be_noticed_there() -> None:
    ran = run("key", "ci")
    secret = ran.out.strip()
    assert secret not in ran.err
    assert find_secrets(secret)
    assert not find_secrets(ran.err)


def test_no_two_keys_are_the_same() -> None:
    assert len({run("key", "ci").out for _ in range(5)}) == 5


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "a" * 64])
def test_a_name_is_one_that_metrics_can_show(name: str) -> None:
    ran = run("key", "--", name)
    assert (ran.code, ran.out) == (64, "")
    assert "cannot be the name of a key" in ran.err


def test_both_sides_take_the_same_names() -> None:
    pattern = next(part.pattern for part in GatewayKey.model_fields["name"].metadata if hasattr(part, "pattern"))
    text = (Path(__file__).parents[2] / "reconciler" / "cli" / "key.py").read_text()
    assert pattern.strip("^$").rstrip("*") in text
    assert re.fullmatch(pattern, "a" * 63)

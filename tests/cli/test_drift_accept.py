"""What was changed on the cluster becomes what the registry says, comments kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.fake_serve import FakeServe

Configs = dict[str, Any]


@pytest.fixture
def applied(registry: Path) -> FakeServe:
    """A cluster as the registry says."""
    file = registry / "acme--chat.yaml"
    file.write_text("# Owned by the chat team.\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    assert run("apply", "--auto-approve", serve=serve).code == 0
    return serve


def intrude(serve: FakeServe, change: Callable[[Configs], object]) -> None:
    """Somebody changes configs behind the registry's back."""
    configs = {config["name"]: config for config in serve.puts[-1]["applications"]}
    change(configs)
    serve.intrude({"applications": list(configs.values())})
    serve.settle()


def options(configs: Configs) -> dict[str, Any]:
    deployment: dict[str, Any] = configs["acme--chat"]["deployments"][0]
    return deployment


def test_a_value_is_written_where_it_belongs_and_comments_stay(applied: FakeServe, registry: Path) -> None:
    def change(configs: Configs) -> None:
        options(configs)["max_ongoing_requests"] = 3
        options(configs)["autoscaling_config"]["max_replicas"] = 4
        routes = configs["gateway"]["deployments"][0]["user_config"]["models"]
        routes["acme/chat"]["defaults"] = {"temperature": 0.1}

    intrude(applied, change)
    other = (registry / "acme--other.yaml").read_bytes()
    ran = run("drift", "--accept", serve=applied)
    assert (ran.code, "1 file written" in ran.err) == (0, True)
    text = (registry / "acme--chat.yaml").read_text(encoding="utf-8")
    assert text.startswith("# Owned by the chat team.\n")
    assert "max_ongoing_requests: 3\n" in text
    assert "max_replicas: 4\n" in text
    assert "temperature: 0.1\n" in text
    assert "max_ongoing_requests = 3" in ran.out
    assert (registry / "acme--other.yaml").read_bytes() == other
    assert run("drift", "--detailed-exitcode", serve=applied).code == 0
    assert run("plan", "--detailed-exitcode", serve=applied).code == 0


def test_nothing_to_accept_is_said(applied: FakeServe) -> None:
    ran = run("drift", "--accept", serve=applied)
    assert (ran.code, ran.out) == (0, "")
    assert "nothing was changed" in ran.err


def test_the_value_of_a_variable_is_never_written(applied: FakeServe, registry: Path) -> None:
    before = (registry / "acme--chat.yaml").read_bytes()
    intrude(applied, lambda configs: configs["acme--chat"].update(runtime_env={"env_vars": {"X": "canary-77"}}))
    ran = run("drift", "--accept", serve=applied)
    assert ran.code == 1
    assert "canary-77" not in ran.out + ran.err
    assert "${env:NAME}" in ran.err
    assert (registry / "acme--chat.yaml").read_bytes() == before


def test_what_no_file_can_say_is_refused(applied: FakeServe, registry: Path) -> None:
    before = (registry / "acme--chat.yaml").read_bytes()
    intrude(applied, lambda configs: configs["acme--chat"].update(route_prefix="/mine"))
    ran = run("drift", "--accept", serve=applied)
    assert ran.code == 1
    assert (registry / "acme--chat.yaml").read_bytes() == before


def test_an_older_format_is_migrated_first(applied: FakeServe, registry: Path) -> None:
    file = registry / "acme--chat.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("deployment_config:", "deployment_config:\n  max_concurrent_queries: 64")
    text = text.replace("\nscaling_config:", "\nscaling_config:\n  num_workers: 1")
    file.write_text(text, encoding="utf-8")
    intrude(applied, lambda configs: options(configs).update(max_ongoing_requests=3))
    ran = run("drift", "--accept", serve=applied)
    assert (ran.code, ran.out) == (1, "")
    assert f"reconcile migrate {file}" in ran.err
    assert file.read_text(encoding="utf-8") == text

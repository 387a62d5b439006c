import json
from pathlib import Path

import pytest
import yaml

from tests.support.cli import run, write_registry


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return write_registry(tmp_path / "registry", "chat", "other")


def test_yaml_and_json_hold_the_same_applications(registry: Path) -> None:
    as_yaml = yaml.safe_load(run("render", "--registry", registry).out)
    assert as_yaml == json.loads(run("render", "--registry", registry, "--format", "json").out)
    assert [entry["name"] for entry in as_yaml["applications"]] == ["gateway", "acme--chat", "acme--other"]


@pytest.mark.parametrize("name", ["acme/chat", "acme--chat"])
def test_one_model_by_its_id_or_its_application(registry: Path, name: str) -> None:
    document = yaml.safe_load(run("render", name, "--registry", registry).out)
    assert [entry["name"] for entry in document["applications"]] == ["acme--chat"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("acme/chatt", "did you mean `acme--chat`?"), ("zzz", "there are `gateway`, `acme--chat`, `acme--other`")],
)
def test_an_unknown_model_is_answered_with_the_known_ones(registry: Path, name: str, hint: str) -> None:
    ran = run("render", name, "--registry", registry)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"error: no application for `{name}`\n\nhint: {hint}\n"

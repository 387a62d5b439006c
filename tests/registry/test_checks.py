"""Checks as values. What each of them finds is shown by the folders in `tests/cases/registry`."""

from pathlib import Path

from reconciler.registry.checks.registry_checks import check_registry
from reconciler.registry.cluster import Cluster
from reconciler.registry.loader import load
from reconciler.registry.outline import RegistryOutline, model_outline
from reconciler.registry.registry import ClusterEntry, ModelEntry
from reconciler.registry.spec import ModelSpec
from tests.support.golden import CASES


def test_cluster_checks_wait_until_every_cluster_file_is_right() -> None:
    spec = ModelSpec.model_validate({"engine_config": {"model_id": "org/a"}, "clusters": ["unknown"]})
    registry = RegistryOutline((model_outline(ModelEntry("org--a.yaml", spec)),), ())
    assert {each.rule for each in check_registry(registry)} == {"no-cluster", "unknown-cluster"}
    assert list(check_registry(registry, clusters_complete=False)) == []


def test_no_secret_is_ever_echoed() -> None:
    secrets = ["ABCDEFGHIJKLMNOP", "letmein", "correct horse", "battery staple", "abcdefghijklmnop", "plain", "12345"]
    told = (CASES / "registry" / "secrets" / "expected.txt").read_text()
    told += (CASES / "registry" / "types" / "expected.txt").read_text()
    assert [secret for secret in secrets if secret in told] == []


def test_a_value_without_a_place_is_told_at_the_start_of_its_file() -> None:
    cluster = Cluster.model_validate({"owner": "a", "local": True})
    assert str(ClusterEntry("local", "clusters/local.yaml", cluster).position(("owner",))) == "clusters/local.yaml:1:1"


def test_the_result_does_not_depend_on_the_names_of_files(tmp_path: Path) -> None:
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "local.yaml").write_text("owner: a\nlocal: true\n")
    for model in ("org/b", "org/a-1", "org/a"):
        (tmp_path / f"{model.replace('/', '--')}.yaml").write_text(f"engine_config: {{model_id: {model}}}\n")
    registry = load(tmp_path).registry
    assert registry is not None
    assert [entry.spec.model_id for entry in registry.models] == ["org/a", "org/a-1", "org/b"]


def test_no_policy_echoes_a_value() -> None:
    told = (CASES / "registry" / "policies" / "expected.txt").read_text()
    assert "correcthorse" in (CASES / "registry" / "policies" / "org--b.yaml").read_text()
    assert "correcthorse" not in told

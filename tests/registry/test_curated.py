"""The registry that the repository ships."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from reconciler.registry.checks.memory import GPU_GIGABYTES as CHECKED_GIGABYTES
from reconciler.registry.choices import EngineType
from reconciler.registry.json_schema import cluster_schema, model_schema
from reconciler.registry.loader import load
from reconciler.registry.registry import Registry
from reconciler.registry.spec import ModelSpec
from reconciler.state.desired import desired_state
from reconciler.state.runtime_packages import RuntimePackages
from tests.support.memory_comment import GPU_GIGABYTES, errors_in_memory_comment

ROOT = Path(__file__).parents[2] / "registry"
MODEL_FILES = sorted(ROOT.glob("*.yaml"))
CLUSTER_FILES = sorted((ROOT / "clusters").glob("*.yaml"))
GPU_FILES = [path for path in MODEL_FILES if "num_gpus_per_worker: 0\n" not in path.read_text(encoding="utf-8")]
EXAMPLE = ROOT / "openai--gpt-oss-120b.yaml"
LOCAL_CPUS = 8


@pytest.fixture(scope="module")
def registry() -> Registry:
    loaded = load(ROOT)
    assert loaded.diagnostics == ()
    assert loaded.registry is not None
    return loaded.registry


def spec_of(path: Path) -> ModelSpec:
    return ModelSpec.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_file_loads_without_a_diagnostic(registry: Registry) -> None:
    assert len(registry.models) == len(MODEL_FILES)
    assert [entry.name for entry in registry.clusters] == ["gpu", "local"]


@pytest.mark.parametrize("path", MODEL_FILES, ids=lambda path: path.stem)
def test_a_model_file_names_its_schema_and_agrees_with_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../schemas/model.schema.json\n")
    assert [error.message for error in Draft202012Validator(model_schema()).iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("path", CLUSTER_FILES, ids=lambda path: path.stem)
def test_a_cluster_file_names_its_schema_and_agrees_with_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../schemas/cluster.schema.json\n")
    assert [error.message for error in Draft202012Validator(cluster_schema()).iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("path", GPU_FILES, ids=lambda path: path.stem)
def test_the_memory_arithmetic_is_right_and_fits_the_gpu(path: Path) -> None:
    assert errors_in_memory_comment(path.read_text(encoding="utf-8"), spec_of(path)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("=  65.25 GB", "=  66.25 GB"),
        ("= 73728 bytes per token", "= 73278 bytes per token"),
        ("73728 bytes x 32768 tokens x 2 sequences", "73728 bytes x 32768 tokens x 3 sequences"),
        ("=  73.08 GB", "=  63.08 GB"),
        ("1 x 80 GB x 0.92", "1 x 94 GB x 0.92"),
        ("1 x 80 GB x 0.92", "1 x 80 GB x 0.99"),
        ("114.66 B x 0.53125 bytes", "114.66 B x 2 bytes"),
        ("1 x H100:", "1 x L4:"),
        ("max_total_tokens: 32768", "max_total_tokens: 65536"),
        ("num_workers: 1", "num_workers: 3"),
        ("max_num_seqs: 64", "max_num_seqs: 1"),
        ("overhead", "over head"),
        ("weights_gb: 65.25", "weights_gb: 65.35"),
        ("kv_bytes_per_token: 73728", "kv_bytes_per_token: 73720"),
    ],
)
def test_a_mistake_in_the_arithmetic_is_noticed(right: str, wrong: str, tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert right in text
    changed = tmp_path / EXAMPLE.name
    changed.write_text(text.replace(right, wrong), encoding="utf-8")
    assert errors_in_memory_comment(changed.read_text(encoding="utf-8"), spec_of(changed)) != []


@pytest.mark.parametrize("gpu", sorted(GPU_GIGABYTES))
def test_a_gpu_has_what_its_maker_says_or_a_little_more(gpu: str) -> None:
    assert GPU_GIGABYTES[gpu] <= CHECKED_GIGABYTES[gpu] < GPU_GIGABYTES[gpu] * 1.08


def test_it_covers_every_size_of_gpu_and_kind_of_model(registry: Registry) -> None:
    on_gpus = [entry.spec for entry in registry.models if entry.spec.clusters == ["gpu"]]
    assert len(on_gpus) >= 12
    resources = {name for spec in on_gpus for name in spec.scaling_config.resources_per_worker}
    assert resources == {f"accelerator_type:{gpu}" for gpu in GPU_GIGABYTES}
    assert [spec.model_id for spec in on_gpus if spec.engine_config.type is EngineType.EMBEDDING]
    assert {spec.scaling_config.num_workers for spec in on_gpus} >= {1, 2, 4}


@pytest.mark.parametrize("cluster", ["gpu", "local"])
def test_it_compiles_to_applications_that_json_can_hold(cluster: str, registry: Registry) -> None:
    entry = registry.cluster(cluster)
    assert entry is not None
    desired = desired_state(registry, entry, RuntimePackages("gcs://engine.zip", "gcs://gateway.zip"))
    assert len(desired.applications) == len(registry.models_of(entry)) + 1
    for application in desired.applications:
        assert json.loads(json.dumps(dict(application.application.config)))["name"] == application.name


def test_the_local_models_fit_the_local_cluster_with_a_surge_replica_of_each(registry: Registry) -> None:
    entry = registry.default_cluster()
    assert entry is not None
    assert entry.name == "local"
    desired = desired_state(registry, entry, RuntimePackages(None, None))
    replicas = [(application, application.max_replicas + 1) for application in desired.applications]
    assert sum(application.bundles.total["CPU"] * count for application, count in replicas) <= LOCAL_CPUS

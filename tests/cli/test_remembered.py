"""What is remembered of a registry changes no plan: with a memory and without it everything is the same."""

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.session import Target, open_target
from reconciler.plan.encode import plan_json
from reconciler.registry.recalled import Recalled, remembered
from reconciler.registry.spec import ModelSpec
from reconciler.state.live import LiveState
from tests.support import states
from tests.support.cli import CLUSTER

SPELLINGS = [
    "engine_config: {{model_id: org/{name}}}\n",
    "# A comment.\nengine_config:\n  model_id: org/{name}\n",
    "engine_config: {{model_id: org/{name}, aliases: [latest-{name}], model_description: text}}\n"
    "rollout: {{strategy: rolling, max_unavailable: 25%, protect: true, timeout_s: 60}}\n",
    "engine_config: {{model_id: org/{name}}}\nrollout: {{strategy: recreate, load_time_s: 30, max_unavailable: 2}}\n"
    "deployment_config: {{autoscaling_config: {{min_replicas: 2, initial_replicas: 3, max_replicas: 9}}}}\n",
    "enabled: false\nengine_config: {{model_id: org/{name}}}\n",
    "clusters: []\nengine_config: {{model_id: org/{name}}}\nwaive: [{{rule: served-nowhere, reason: later}}]\n",
    "engine_config: {{model_id: org/{name}, type: EmbeddingEngine, runtime_env: {{env_vars: {{A: '${{env:A}}'}}}}}}\n"
    "scaling_config: {{num_workers: 4, placement_strategy: STRICT_SPREAD, resources_per_worker: {{x: 0.5}}}}\n",
    "deployment_config: {{max_concurrent_queries: 64}}\nengine_config: {{model_id: org/{name}, "
    "type: VLLMEngine, generation: {{generate_kwargs: {{temperature: 1.0}}, stopping_sequences: [a, 1]}}}}\n"
    "scaling_config: {{num_workers: 1, num_gpus_per_worker: 1, num_cpus_per_worker: 4}}\n",
]
CLUSTERS = [
    CLUSTER,
    CLUSTER + "prices: {currency: EUR, gpu_hour: {GPU: 1.5}}\n",
    CLUSTER.replace("owner: test", "owner: another"),
    CLUSTER.replace("engine: image", "engine: s3://bucket/engine.zip"),
]
EDITS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, len(SPELLINGS)), st.integers(0, len(CLUSTERS) - 1)),
    min_size=1,
    max_size=6,
)


def environment(cache: Path) -> Environment:
    """A run that remembers in `cache`."""
    console = Console({}, io.StringIO(), io.StringIO(), io.StringIO())
    return Environment({"RECONCILER_CACHE_DIR": str(cache)}, console)


def everything(target: Target, live: LiveState) -> Any:
    """All that the rest of a run gets to know of a registry."""
    plan = states.plan(target.desired, live, allow_delete=True)
    fields = ("strategy", "max_unavailable", "protect", "load_time_s", "timeout_s")
    return (
        target.source().digest,
        target.desired.prices and (target.desired.prices.currency, dict(target.desired.prices.gpu_hour)),
        [
            (
                entry.application.config,
                entry.application.text,
                entry.bundles,
                (entry.min_replicas, entry.max_replicas, entry.initial_replicas, entry.drain_s),
                [getattr(entry.rollout, field) for field in fields],
                entry.model and (entry.model.file, entry.model.model_id, entry.model.position()),
            )
            for entry in target.desired.applications
        ],
        plan_json(plan),
        [wave.document for wave in plan.waves],
    )


@given(EDITS)
@settings(max_examples=25)
def test_a_plan_from_what_is_remembered_is_the_plan_from_the_files(edits: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "registry")
        (root / "clusters").mkdir(parents=True)
        (root / "org--z.yaml").write_text(SPELLINGS[0].format(name="z"))
        live = states.live(states.foreign())
        for number, (name, spelling, cluster) in enumerate(edits):
            (root / "clusters" / "test.yaml").write_text(CLUSTERS[cluster])
            file = root / f"org--{name}.yaml"
            if spelling < len(SPELLINGS):
                file.write_text(SPELLINGS[spelling].format(name=name))
            else:
                file.unlink(missing_ok=True)
            afresh = open_target(environment(Path(folder, f"cache-{number}")), root, None)
            expected = everything(afresh, live)
            for _ in range(2):
                known = open_target(environment(Path(folder, "cache")), root, None)
                assert everything(known, live) == expected
            assert [entry.spec for entry in known.registry.models] == [entry.spec for entry in afresh.registry.models]
            assert known.entry.cluster == afresh.entry.cluster
            live = states.deployed(known.desired, states.foreign())


def test_a_plan_of_files_that_are_known_imports_neither_forms_nor_parsers(tmp_path: Path) -> None:
    root = tmp_path / "registry"
    (root / "clusters").mkdir(parents=True)
    (root / "clusters" / "test.yaml").write_text(CLUSTERS[1])
    for number, spelling in enumerate(SPELLINGS):
        (root / f"org--{number}.yaml").write_text(spelling.format(name=number))
    code = f"""
import io, sys
from pathlib import Path
from reconciler.cli.console import Console
from reconciler.cli.environment import Environment
from reconciler.cli.main import main
from contextlib import contextmanager

class Client:
    def live_state(self):
        from reconciler.serve import wire
        from reconciler.serve.details import read_details
        details = read_details(b'{{"applications": {{}}}}')
        nodes = {{"data": {{"result": {{"result": []}}}}}}
        return wire.trusted_state(details, {{"ray_version": "2.60.0"}}, nodes, None, ())

class Connection:
    client, address, gateway_address = Client(), "http://ray", "http://llm"

@contextmanager
def connect(*arguments):
    import reconciler.serve.connect
    yield Connection()

variables = {{"RECONCILER_CACHE_DIR": {str(tmp_path / "cache")!r}}}
console = Console({{}}, io.StringIO(), sys.stdout, io.StringIO())
main(["plan", "--registry", {str(root)!r}], Environment(variables, console, connect=connect))
print(*sys.modules, file=sys.stderr)
"""
    said = []
    for heavy in (True, False):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        modules = {name.split(".")[0] for name in done.stderr.split()}
        assert ({"pydantic", "yaml"} <= modules) is heavy
        said.append(done.stdout)
    assert said[0] == said[1]
    assert "create" in said[0]
    assert not modules & {"pydantic", "pygments", "rich", "yaml", "git", "jsonschema", "ruamel", "httpx"}


def test_what_is_not_remembered_of_a_form_is_asked_of_the_form() -> None:
    spec = ModelSpec.model_validate({"engine_config": {"model_id": "org/a", "engine_kwargs": {"x": [1, {"y": None}]}}})
    asked: list[str] = []

    def form() -> ModelSpec:
        asked.append("form")
        return spec

    known: Any = Recalled(remembered(spec), form)
    assert known.engine_config.engine_kwargs == {"x": [1, {"y": None}]}
    assert known.engine_config.type is spec.engine_config.type
    assert known.scaling_config.placement_strategy is spec.scaling_config.placement_strategy
    assert known.rollout.timeout_s is None
    assert not asked
    assert known.model_id == "org/a"
    assert known.engine_config.model_dump() == spec.engine_config.model_dump()
    assert known == spec
    assert known.rollout == known.rollout
    assert repr(known) == repr(spec)
    with pytest.raises(AttributeError):
        known.nothing  # noqa: B018
    assert asked

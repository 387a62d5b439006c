"""Every real model file since RayLLM is read, or refused for a reason that stands here; what is read is migrated."""

import csv
from dataclasses import replace
from typing import Any

import pytest

from reconciler.diagnostics import Severity
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.cluster import Cluster
from reconciler.registry.dialects import anyscale, llm_config, rayllm
from reconciler.registry.dialects.translation import dotted
from reconciler.registry.key_path import KeyPath
from reconciler.registry.migration.migrate import migrate
from reconciler.registry.model_file import read_model
from reconciler.registry.registry import ClusterEntry, ModelEntry, Registry
from reconciler.state.desired import desired_state
from reconciler.state.runtime_packages import RuntimePackages
from tests.support.dialects import INPUTS

CLUSTER = ClusterEntry("c", "c.yaml", Cluster.model_validate({"owner": "o", "local": True}))
DIALECTS = {rayllm.NAME, anyscale.NAME, llm_config.NAME}

REFUSED = {
    "compiled-engine": ["trtllm-meta-llama--Llama-2-7b-chat-hf.yaml"],
    "duplicate-key": ["amazon--LightGPT.yaml"],
    "engine-argument-values": ["squeeze-ai-lab--sq-llama-2-13b-w4-s0.yaml"],
    "secret-literal": ["meta-llama--Meta-Llama-3_1-8B-Instruct.yaml"],
}
"""The names of the files that break each rule: an engine of TensorRT-LLM, a key given twice, weights in SqueezeLLM's
format, and a token written out."""

if not INPUTS.is_dir():
    pytest.skip("there are no given files", allow_module_level=True)


def given() -> list[tuple[str, str]]:
    """The path and the era of each model file."""
    with (INPUTS / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = list(csv.DictReader(index, delimiter="\t"))
    return [(row["path"], row["era"].split()[0]) for row in rows if row["kind"].startswith("model")]


NEWER = [path for path, era in given() if era[0] in "CDE"]


def leaves(value: object, path: KeyPath = ()) -> list[KeyPath]:
    if isinstance(value, dict) and value:
        return [leaf for key, child in value.items() for leaf in leaves(child, (*path, key))]
    return [path]


def named_after(entry: ModelEntry) -> ModelEntry:
    """The entry in a file that is named as it should be."""
    return replace(entry, file=entry.spec.model_id.replace("/", "--") + ".yaml")


def compiled(content: bytes) -> list[dict[str, Any]]:
    entry = read_model("given.yaml", content).entry
    assert entry is not None
    state = desired_state(Registry((entry,), (CLUSTER,)), CLUSTER, RuntimePackages(None, None))
    return [dict(each.application.config) for each in state.applications]


@pytest.mark.parametrize("path", NEWER)
def test_a_given_file_is_read_or_refused_for_a_true_reason(path: str) -> None:
    found = read_model("given.yaml", (INPUTS / path).read_bytes())
    assert found.document is not None
    assert found.translation is not None
    assert found.translation.dialect in DIALECTS
    places = set(found.document.positions.values())
    decided = [fate.path for fate in found.translation.fates]
    for leaf in leaves(found.document.value):
        over = [path for path in decided if leaf[: len(path)] == path]
        assert len(over) == 1, f"`{dotted(leaf)}` has {len(over)} fates"
    problems = list(found.diagnostics)
    if found.entry is not None:
        problems.extend(check_model(named_after(found.entry)))
    errors = {problem.rule for problem in problems if problem.severity is Severity.ERROR}
    assert errors == {rule for rule, names in REFUSED.items() if path.rpartition("/")[2] in names}
    assert all(problem.position in places for problem in found.translation.diagnostics)


@pytest.mark.parametrize("path", [path for path, _ in given()])
def test_what_is_read_can_be_migrated_and_stays_the_same(path: str) -> None:
    content = (INPUTS / path).read_bytes()
    found = migrate("given.yaml", content)
    if found.text is None:
        assert found.diagnostics
        return
    after = found.text.encode()
    again = migrate("given.yaml", after)
    assert (again.dialect, again.text) == ("canonical", None)
    entry = read_model("given.yaml", after).entry
    assert entry is not None
    if not any(problem.severity is Severity.ERROR for problem in check_model(named_after(entry))):
        assert compiled(after) == compiled(content)


def test_most_of_the_given_files_are_read_without_an_error() -> None:
    refused = {path for path in NEWER if migrate("given.yaml", (INPUTS / path).read_bytes()).text is None}
    assert len(NEWER) - len(refused) == 83

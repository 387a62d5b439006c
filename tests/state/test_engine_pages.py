"""The page of each type of engine: there is one, and its example is a model file without a problem."""

import re

import pytest

from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.choices import EngineType
from reconciler.registry.model_file import read_model
from reconciler.state.compile import replica_bundles
from reconciler.state.engines import by_type
from tests.test_pages import ROOT

PAGES = {
    EngineType.VLLM: "vllm",
    EngineType.EMBEDDING: "embedding",
    EngineType.TRANSFORMERS: "transformers",
    EngineType.LLAMA_CPP: "llama_cpp",
    EngineType.SAAS: "saas",
}
FOLDER = ROOT / "reconciler" / "state" / "engines"


@pytest.mark.parametrize("kind", EngineType)
def test_the_first_example_of_a_page_is_a_valid_file(kind: EngineType) -> None:
    text = (FOLDER / f"{PAGES[kind]}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# `{kind}`\n")
    example, *_ = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    found = read_model("registry/example.yaml", example.encode())
    assert found.entry is not None, found.diagnostics
    assert found.entry.spec.engine_config.type is kind
    problems = [*found.diagnostics, *check_model(found.entry)]
    assert [each for each in problems if each.rule != "file-name-convention"] == []
    assert by_type.ENGINES[kind].args(found.entry.spec, replica_bundles(found.entry.spec))


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"(reconciler/state/engines/{page}.md)" in readme for page in PAGES.values())

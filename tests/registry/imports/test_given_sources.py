"""Every real config, manifest and command is imported, or refused for a reason that stands here, at its line."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.diagnostics import Severity
from reconciler.registry.dialects.translation import dotted
from reconciler.registry.imports.documents import parse_documents
from reconciler.registry.imports.imported import Imported
from reconciler.registry.imports.referenced_files import referenced_files
from reconciler.registry.imports.source import Source
from reconciler.registry.imports.sources import import_sources
from reconciler.registry.key_path import KeyPath
from reconciler.registry.model_file import read_model
from tests.support.against_ray import hand_to_ray
from tests.support.dialects import INPUTS
from tests.support.imports import no_history

if not INPUTS.is_dir():
    pytest.skip("there are no given files", allow_module_level=True)

KINDS = frozenset({"serve-config", "rayservice", "kuberay", "oneblock-crd"})

REASONS = {
    # The files of the models are not among the given ones.
    "missing-file",
    # The application is a program, or the manifest has nodes only.
    "no-model",
    # The service names a version of another file.
    "missing-reference",
    # RayLLM's file of LightGPT gives a key twice.
    "duplicate-key",
    # The mirror of the file for TensorRT-LLM holds a compiled engine.
    "compiled-engine",
}
"""The errors of given files, by their rule."""

SECRET = "secret-in-clear"

COMMANDS = {
    "002": "no-deployment",
    "003": "no-deployment",
    "004": SECRET,
    "005": "llama_3_chat.yaml",
    "007": "qianwen_chat.yaml",
    "009": SECRET,
    "011": "gpt3_5_chat.yaml",
    "016": SECRET,
    "018": "deepseek_chat.yaml",
    "020": "unsupported-model-type",
    "023": "gpt3_5_chat.yaml",
    "024": "no-deployment",
    "025": "zephyr_7b_chat.yaml",
    "026": "no-deployment",
    "027": "no-deployment",
    "030": "qianwen_chat.yaml",
    "031": "kimi_chat.yaml",
    "032": SECRET,
    "034": SECRET,
    "040": SECRET,
    "042": SECRET,
    "044": "no-deployment",
    "046": "no-deployment",
    "048": "llama_3_chat.yaml",
    "057": "deepseek_chat.yaml",
    "063": SECRET,
}
"""What becomes of each given command: the file that it makes, or the rule that says why it makes none. Most of the
secrets in clear are placeholders."""


def given() -> list[str]:
    with (INPUTS / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        return [row["path"] for row in csv.DictReader(index, delimiter="\t") if row["kind"] in KINDS]


def imported(path: Path) -> Imported:
    return import_sources([Source(str(path), path.read_bytes())], referenced_files, no_history)


def leaves(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, (*path, key))
    elif path:
        yield path


def read_again(found: Imported) -> None:
    for file in found.files:
        again = read_model(file.name, file.text.encode())
        assert again.diagnostics == ()
        assert again.entry is not None
        assert again.entry.spec.model_id == file.model_id
        hand_to_ray(again.entry)


@pytest.mark.parametrize("path", given())
def test_a_given_file_is_imported_or_refused_at_its_line(path: str) -> None:
    found = imported(INPUTS / path)
    errors = [problem for problem in found.diagnostics if problem.severity is Severity.ERROR]
    assert {problem.rule for problem in errors} <= REASONS
    assert found.files or found.diagnostics
    for problem in errors:
        lines = Path(problem.position.file).read_text(encoding="utf-8").split("\n")
        line = lines[problem.position.line - 1][problem.position.column - 1 :]
        assert line.strip()
        if problem.rule == "missing-file":
            assert ".yaml" in line
    read_again(found)


@pytest.mark.parametrize("path", given())
def test_every_key_of_a_given_file_has_one_fate(path: str) -> None:
    found = imported(INPUTS / path)
    documents = parse_documents(str(INPUTS / path), (INPUTS / path).read_bytes())
    for document in documents:
        assert document.document is not None
        end = min(
            (
                each.document.positions[()]
                for each in documents
                if each.document
                and each is not document
                and each.document.positions[()] > document.document.positions[()]
            ),
            default=None,
        )
        start = document.document.positions[()]
        fates = [
            fate
            for fate in found.fates
            if fate.position.file == start.file and fate.position >= start and (end is None or fate.position < end)
        ]
        if len(fates) == 1 and fates[0].path in (("spec",), ("kind",)):
            # The document as a whole: another version, or a manifest without models.
            continue
        for leaf in leaves(document.document.value):
            over = [fate for fate in fates if leaf[: len(fate.path)] == fate.path]
            inside = [fate for fate in fates if fate.path[: len(leaf)] == leaf and len(fate.path) > len(leaf)]
            assert len(over) == 1 or (not over and inside), f"`{dotted(leaf)}` has {len(over)} fates"


def commands() -> dict[str, str]:
    text = (INPUTS / "byzer-llm" / "commands.txt").read_text(encoding="utf-8")
    return {match[1]: match[0] for match in re.finditer(r"^## (\d+) .*\n(?:.+\n?)+", text, re.MULTILINE)}


def test_the_given_commands_are_all_known() -> None:
    assert commands().keys() == COMMANDS.keys()


@pytest.mark.parametrize("number", COMMANDS)
def test_a_given_command_is_imported_or_refused(number: str) -> None:
    text = commands()[number]
    found = import_sources([Source("run.sh", text.encode())], referenced_files, no_history)
    rules = {problem.rule for problem in found.diagnostics}
    # An argument that means nothing today is told, and keeps nobody.
    assert {file.name for file in found.files} | rules - {"obsolete-key"} == {COMMANDS[number]}
    for problem in found.diagnostics:
        assert problem.position.line >= 2
    read_again(found)
    given = len(re.findall(r"(?<!\S)--\w+", text)) + max(0, len(re.findall(r"\w=", text)) - text.count("infer_params"))
    assert len(found.fates) >= 1
    if "deploy " in text and "undeploy" not in text and "easy" not in text:
        assert len(found.fates) == given

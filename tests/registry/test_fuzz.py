"""Whatever stands in a file: nothing raises, and whatever is refused is told at a place in the file."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.checks.model_checks import check_model
from reconciler.registry.checks.registry_checks import check_registry
from reconciler.registry.document import parse
from reconciler.registry.outline import RegistryOutline, model_outline
from reconciler.registry.registry import ModelEntry
from reconciler.registry.spec import ModelSpec
from reconciler.registry.validation import validate

GOOD = Path(__file__).parents[1].joinpath("cases", "registry", "good", "org--tiny.yaml").read_bytes()


def problems(content: bytes) -> tuple[Diagnostic, ...]:
    """Everything that is said about a file, having made sure that what is not refused has a value."""
    document, diagnostics = parse("org--tiny.yaml", content)
    if document is None:
        assert has_errors(diagnostics)
        return diagnostics
    spec, more = validate(ModelSpec, document)
    diagnostics += more
    if spec is None:
        assert has_errors(diagnostics)
        return diagnostics
    entry = ModelEntry(document.file, spec, document.positions)
    return (*diagnostics, *check_model(entry), *check_registry(RegistryOutline((model_outline(entry),), ())))


def assert_worth_reading(diagnostics: tuple[Diagnostic, ...], content: bytes) -> None:
    for diagnostic in diagnostics:
        assert 1 <= diagnostic.position.line <= content.count(b"\n") + 2
        assert (diagnostic.message + (diagnostic.hint or "")).isprintable()
        assert len(diagnostic.message) < 400


TOKENS = [
    *["a", "b", "<<", "no", "1e3", "0x1", "2024-01-01", "*a", "&a ", "!!str ", "!x ", ": ", "- ", "? ", "\n", "\n  "],
    *["[", "]", "{", "}", ",", "'", '"', "|", ">", "#", "%", "@", "`", "\t", "---", "...", "~", "\\", "\r", "\0", "ü"],
]
SOUP = st.lists(st.sampled_from(TOKENS), max_size=40).map("".join).map(str.encode)
BYTES = st.binary(max_size=60)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """The good file with a few pieces cut out, doubled or overwritten."""
    content = GOOD
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 30)))
        piece = draw(st.sampled_from([b"", content[start:end] * 2]) | SOUP | BYTES)
        content = content[:start] + piece + content[end:]
    return content


@given(SOUP | BYTES)
def test_anything(content: bytes) -> None:
    assert_worth_reading(problems(content), content)


@given(mutated())
def test_a_good_file_with_damage(content: bytes) -> None:
    assert_worth_reading(problems(content), content)


KEYS = st.sampled_from([*ModelSpec.model_fields, "model_id", "min_replicas", "resources", "env_vars", "x"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 70) | st.sampled_from([0.5, -1.5, "", "a", "${", "{a}", "surge"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(st.data())
def test_a_good_file_with_other_values(data: st.DataObject) -> None:
    value = yaml.safe_load(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        section = value
        while True:
            key = data.draw(st.sampled_from(sorted(section)))
            if not isinstance(section[key], dict) or not section[key] or data.draw(st.booleans()):
                break
            section = section[key]
        section[key] = data.draw(VALUES)
    content = yaml.safe_dump(value).encode()
    assert_worth_reading(problems(content), content)

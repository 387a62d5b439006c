"""Whatever stands in a file, its keys have fates and nothing is raised."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import Position
from reconciler.registry.dialects.dialect import canonical_document, dialect_of
from reconciler.registry.document import Document
from reconciler.registry.key_path import KeyPath
from reconciler.registry.spec import ModelSpec
from reconciler.registry.validation import validate
from tests.registry.dialects import (
    test_anyscale,
    test_aviary,
    test_llm_config,
    test_opencsg,
    test_rayllm,
    test_tgi,
)
from tests.support.dialects import document

FILES = {
    "static": test_aviary.static(),
    "continuous": test_aviary.continuous("max_input_length: 128"),
    "tgi": test_tgi.FILE,
    "opencsg": test_opencsg.FILE,
    "rayllm": test_rayllm.FILE,
    "embedding": test_rayllm.EMBEDDING,
    "trtllm": test_rayllm.TRTLLM,
    "anyscale": test_anyscale.FILE,
    "llm_config": test_llm_config.EARLY,
}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    if isinstance(value, dict):
        return [path, *(place for key, child in value.items() for place in places(child, (*path, key)))]
    return [path]


def with_value(value: Any, path: KeyPath, new: Any) -> Any:
    if not path:
        return new
    return {**value, path[0]: with_value(value[path[0]], path[1:], new)}


def positions(value: Any, path: KeyPath = ()) -> dict[KeyPath, Position]:
    found = {path: Position("model.yaml", len(path) + 1, 1)}
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found.update(positions(child, (*path, key)))
    return found


@pytest.mark.parametrize("name", FILES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_file_with_any_value_anywhere_has_a_meaning_or_an_error(name: str, data: st.DataObject) -> None:
    value: Any = document(FILES[name]).value
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([place for place in places(value) if place]))
        value = with_value(value, path, data.draw(VALUES))
    changed = Document("model.yaml", value, positions(value), frozenset())
    translation = dialect_of(changed).translate(changed)
    decided = [fate.path for fate in translation.fates]
    for leaf in places(value):
        inner = any(place[: len(leaf)] == leaf and place != leaf for place in places(value))
        if not inner and leaf:
            assert len([path for path in decided if leaf[: len(path)] == path]) == 1
    validate(ModelSpec, canonical_document(changed, translation))

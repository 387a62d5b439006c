from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.document import parse
from reconciler.registry.imports.canonical_yaml import canonical_yaml

texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"))
awkward = st.sampled_from(
    [
        "yes",
        "1e3",
        "010",
        "",
        " x",
        "a: b",
        "a #b",
        "-",
        "{a}",
        "null",
        "~",
        "2024-01-01",
        "1:30",
        "x\ny\n",
        "\t",
        "'",
        '"',
    ]
)
scalars = st.one_of(texts, awkward, st.integers(-(10**15), 10**15), st.booleans(), st.floats(-1e9, 1e9))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.one_of(texts, awkward), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.one_of(texts, awkward), values, max_size=4))
def test_whatever_is_written_is_read_as_it_was(engine_kwargs: dict[str, object]) -> None:
    value = {"engine_config": {"engine_kwargs": {key: item for key, item in engine_kwargs.items() if key != "<<"}}}
    document, problems = parse("f.yaml", canonical_yaml(value, ["why"]).encode())
    assert problems == ()
    assert document is not None
    assert document.value == value


def test_keys_come_in_the_order_of_the_form_and_then_sorted() -> None:
    value = {
        "scaling_config": {"num_workers": 1},
        "engine_config": {"engine_kwargs": {"b": 1, "a": 2}, "model_id": "a/b"},
        "enabled": False,
    }
    assert canonical_yaml(value, ["From here.", "Format: old."]) == (
        "# yaml-language-server: $schema=../schemas/model.schema.json\n"
        "# From here.\n"
        "# Format: old.\n"
        "enabled: false\n"
        "\n"
        "engine_config:\n"
        "  model_id: a/b\n"
        "  engine_kwargs:\n"
        "    a: 2\n"
        "    b: 1\n"
        "\n"
        "scaling_config:\n"
        "  num_workers: 1\n"
    )

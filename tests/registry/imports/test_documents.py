import pytest

from reconciler.registry.imports.documents import embedded, parse_documents, part, with_embedded


def places(text: str) -> list[tuple[object, str]]:
    return [
        (document.document.value, str(document.document.positions[()]))
        for document in parse_documents("f.yaml", text.encode())
        if document.document
    ]


def test_each_document_has_its_place_and_empty_ones_are_left_out() -> None:
    text = "# first\n\na: 1\n---\n---\n# nothing\n---\nb:\n  c: 2\n...\n---\n"
    assert places(text) == [({"a": 1}, "f.yaml:3:1"), ({"b": {"c": 2}}, "f.yaml:8:1")]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n---\n"])
def test_a_file_without_documents(text: str) -> None:
    [found] = parse_documents("f.yaml", text.encode())
    assert [problem.rule for problem in found.diagnostics] == ["empty-file"]


def test_one_broken_document_breaks_the_file() -> None:
    [found] = parse_documents("f.yaml", b"a: 1\n---\nb: [\n")
    assert [(problem.rule, problem.position.line) for problem in found.diagnostics] == [("yaml-syntax", 4)]


def test_too_many_documents() -> None:
    [found] = parse_documents("f.yaml", b"a: 1\n---\n" * 201)
    assert [problem.rule for problem in found.diagnostics] == ["too-many-documents"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n  b: |\n    c:\n      d: 1\n", "f.yaml:4:7"),
        ("a:\n  b: |-  # why\n\n    c:\n      d: 1\n", "f.yaml:5:7"),
        ("a:\n  b: |4\n      c:\n        d: 1\n", "f.yaml:4:9"),
        ('a:\n  b: "c: {d: 1}"\n', "f.yaml:2:3"),
        ("a:\n  b: >\n    c: {d: 1}\n", "f.yaml:2:3"),
    ],
)
def test_a_document_in_a_text_has_places_of_the_file(text: str, place: str) -> None:
    [source] = parse_documents("f.yaml", text.encode())
    assert source.document is not None
    inner, problems = embedded(source, ("a", "b"), source.document.value["a"]["b"])
    assert problems == ()
    assert inner is not None
    assert str(inner.positions["c", "d"]) == place
    whole = with_embedded(source.document, ("a", "b"), inner)
    assert whole.value == {"a": {"b": {"c": {"d": 1}}}}
    assert str(part(whole, ("a", "b", "c")).positions["d",]) == place

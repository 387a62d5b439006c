from textwrap import dedent

from reconciler.registry.document import parse
from reconciler.registry.migration.comments import Comments, split


def comments(text: str) -> tuple[str, Comments]:
    content = dedent(text).lstrip("\n")
    document, diagnostics = parse("model.yaml", content.encode())
    assert document is not None and diagnostics == ()
    found = split(content, document.positions)
    return found.text, found.comments


def test_a_mark_inside_a_value_is_no_comment() -> None:
    text, found = comments("""
        a: "x # y"
        b: x#y
        c: |
          # text
        d: [x, "#"]
        """)
    assert text == 'a: "x # y"\nb: x#y\nc: |\n  # text\nd: [x, "#"]\n'
    assert found == Comments()


def test_a_comment_belongs_to_what_it_stands_by() -> None:
    text, found = comments("""
        # The file.

        # The section.
        a:  # its name
          # The key.
          b: 1  # its value
          # c: 2
        d:
          - x  # first
          # - y

        e: [1,
          2]  # both
        # The end.
        """)
    assert "#" not in text
    assert found.header == ["# The file.", "", "# The section."]
    assert found.above == {("a", "b"): ["# The key."], ("e",): [""]}
    assert found.beside[("a",)] == ["# its name"]
    assert found.beside[("a", "b")] == ["# its value"]
    assert found.beside[("d", 0)] == ["# first"]
    assert found.beside[("e", 1)] == ["# both"]
    assert found.below == {("a", "b"): ["# c: 2"], ("d",): ["# - y"], ("e",): ["# The end."]}

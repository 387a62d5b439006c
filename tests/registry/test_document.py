from pathlib import Path

import pytest
import yaml

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.document import Document, parse
from reconciler.registry.source_text import MAX_BYTES
from reconciler.registry.yaml_reader import MAX_DEPTH, MAX_VALUES

GOOD = Path(__file__).parents[1].joinpath("cases", "registry", "good", "org--tiny.yaml").read_bytes()


def document(text: str) -> Document:
    found, diagnostics = parse("a.yaml", text.encode())
    assert found is not None
    assert diagnostics == ()
    return found


def problem(content: str | bytes) -> Diagnostic:
    found, diagnostics = parse("a.yaml", content.encode() if isinstance(content, str) else content)
    assert found is None or found.refused
    assert len(diagnostics) == 1
    return diagnostics[0]


def test_every_key_and_item_has_its_place() -> None:
    positions = document("# comment\na:\n  b: [1, {c: 2}]\n  é: x\n  d: z\n").positions
    assert positions == {
        (): Position("a.yaml", 2, 1),
        ("a",): Position("a.yaml", 2, 1),
        ("a", "b"): Position("a.yaml", 3, 3),
        ("a", "b", 0): Position("a.yaml", 3, 7),
        ("a", "b", 1): Position("a.yaml", 3, 10),
        ("a", "b", 1, "c"): Position("a.yaml", 3, 11),
        ("a", "é"): Position("a.yaml", 4, 3),
        ("a", "d"): Position("a.yaml", 5, 3),
    }


def test_windows_line_ends_count_as_one() -> None:
    assert document("a: 1\r\nb: |\r\n  x\r\n  y\r\nc: 2\r\n").positions[("c",)] == Position("a.yaml", 5, 1)


def test_what_is_read_is_what_pyyaml_reads() -> None:
    assert document(GOOD.decode()).value == yaml.safe_load(GOOD)


def test_an_alias_repeats_the_value_and_has_one_place() -> None:
    found = document("a: &x {b: [1]}\nc: *x\nd: [*x]\n")
    assert found.value == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}]}
    assert found.positions[("c",)] == Position("a.yaml", 2, 1)
    assert ("c", "b") not in found.positions


def test_a_key_may_be_missing() -> None:
    assert problem("?\n: nothing\n").message == "a key is missing before `:`"


@pytest.mark.parametrize("opening", ["- ", "[", "{a: ", "[{a: ", "- - "])
def test_nesting_that_would_exhaust_the_stack_of_a_parser_is_refused(opening: str) -> None:
    assert problem("a:\n  " + opening * 100_000).rule == "nested-too-deeply"


def test_nesting_up_to_the_limit_is_read() -> None:
    depth = MAX_DEPTH - 1
    assert document("a: " + "[" * depth + "]" * depth).value["a"]
    assert problem("a: " + "[" * (depth + 1) + "]" * (depth + 1)).rule == "nested-too-deeply"


def test_values_up_to_the_limit_are_read() -> None:
    items = "[" + "1," * (MAX_VALUES - 2) + "]"
    assert len(document("a: " + items).value["a"]) == MAX_VALUES - 2
    assert problem("ab: [1, " + items[1:]).rule == "too-many-values"


def test_files_up_to_the_limit_are_read() -> None:
    content = b"a: 1 #".ljust(MAX_BYTES, b"#")
    assert parse("a.yaml", content)[1] == ()
    assert problem(content + b"#").message == "the file is larger than 1,048,576 bytes"


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x85", "\u2028", "\ufeff", "\uffff", "\r", "\x0c"])
def test_characters_that_no_editor_shows_are_refused(character: str) -> None:
    found = problem(f"ä: 1\nb: x{character}y\n")
    assert (found.rule, found.position) == ("control-character", Position("a.yaml", 2, 5))
    assert f"U+{ord(character):04X}" in found.message


def test_the_byte_that_is_no_utf8_is_named() -> None:
    found = problem("a: ä\nb: ".encode() + b"\xff")
    assert found.position == Position("a.yaml", 2, 4)
    assert found.message == "byte 9 (0xff) is not UTF-8"


@pytest.mark.parametrize("opening", ["? ", ": ", "- ? ", "- : ", "[? ", "&a "])
def test_other_ways_to_nest_end_at_the_first_key_that_is_no_text(opening: str) -> None:
    assert problem("a:\n  " + opening * 100_000).rule in ("key-not-text", "yaml-syntax")

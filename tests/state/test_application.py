from typing import TypedDict

import msgspec

from reconciler.state.application import Application


def test_the_owner_is_the_text_in_args() -> None:
    assert Application({"name": "a", "args": {"owner": "team"}}).owner == "team"


def test_without_a_textual_owner_it_is_nobody_of_ours() -> None:
    for args in ({}, {"owner": 1}, "text", None):
        assert Application({"name": "a", "args": args}).owner is None


def test_deployments_are_found_by_name_also_when_there_are_none() -> None:
    assert Application({"name": "a", "deployments": [{"name": "D", "x": 1}]}).deployments["D"] == {"name": "D", "x": 1}
    assert Application({"name": "a", "deployments": None}).deployments == {}


def test_the_fingerprint_does_not_depend_on_how_numbers_are_written() -> None:
    assert Application({"name": "a", "x": 1}).fingerprint == Application({"x": 1.0, "name": "a"}).fingerprint


def test_a_submitted_text_keeps_its_spelling_and_compares_by_meaning() -> None:
    read = Application.submitted(b'{"name": "a", "args": {"owner": "team", "x": 1.0}}')
    assert read is not None
    assert (read.name, read.owner) == ("a", "team")
    assert repr(read.config["args"]["x"]) == "1.0"
    made = Application({"args": {"x": 1, "owner": "team"}, "name": "a"})
    assert made.text == read.text
    assert made == read
    assert made != Application({"name": "a"})
    assert made != "a"
    assert repr(read) == "Application('a')"


def test_a_text_without_a_name_is_no_application() -> None:
    assert Application.submitted(b"{}") is None
    assert Application.submitted(b"null") is None


def test_a_compiled_text_is_the_config() -> None:
    made = Application({"name": "a", "args": {"owner": "team"}})
    known = Application.compiled("a", "team", made.text)
    assert (known.name, known.owner, known.config) == ("a", "team", made.config)
    assert known.fingerprint == made.fingerprint


class _Part(TypedDict, total=False):
    args: dict[str, int]


PART = msgspec.json.Decoder(_Part)


def test_an_excerpt_is_what_was_asked_for_and_the_whole_where_it_has_another_shape() -> None:
    read = Application.submitted(b'{"name": "a", "args": {"x": 1.0}, "more": [1]}')
    assert read is not None
    assert read.excerpt(PART) == {"args": {"x": 1}}
    assert read.excerpt(PART) is read.excerpt(PART)
    assert read.config["more"] == [1]
    assert read.excerpt(PART) == {"args": {"x": 1}}
    made = Application(read.config)
    assert made.excerpt(PART) is made.config
    odd = Application.submitted(b'{"name": "a", "args": ["x"]}')
    assert odd is not None
    assert odd.excerpt(PART) == {"name": "a", "args": ["x"]}

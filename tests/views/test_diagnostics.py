import json

import pytest

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.views.diagnostics_github import diagnostics_github
from reconciler.views.diagnostics_json import diagnostics_json
from reconciler.views.diagnostics_text import diagnostics_text, summary_line
from reconciler.views.style import Style
from tests.support.golden import assert_golden

FILE = [
    "engine_config:",
    "  model_id: acme/chat  # ours",
    "  modell_url: x",
    "  engine_kwargs: {dtype: bflot16, seed: 1}",
    '  hf_model_id: "acme/chat large": 3',
    "\tmax: 3",
    "  文字: 漢字",
    "a" * 80 + " key: " + "b" * 80,
    "",
]
DIAGNOSTICS = (
    Diagnostic(Position("registry/a.yaml", 2, 13), "model-id", "`acme/chat` is taken", "see `b.yaml`"),
    Diagnostic(Position("registry/a.yaml", 3, 3), "unknown-key", "no key `modell_url`", "did you mean `model_url`?"),
    Diagnostic(Position("registry/a.yaml", 4, 26), "engine-argument", "`bflot16` is no dtype", None, Severity.WARNING),
    Diagnostic(Position("registry/a.yaml", 5, 16), "quotes", "a quoted string is one thing"),
    Diagnostic(Position("registry/a.yaml", 6, 2), "tab", "a tab is four columns"),
    Diagnostic(Position("registry/a.yaml", 7, 7), "wide", "wide characters take two columns"),
    Diagnostic(Position("registry/a.yaml", 8, 82), "long", "a long line is cut around the place"),
    Diagnostic(Position("registry/a.yaml", 9, 1), "empty", "an empty line is not shown"),
    Diagnostic(Position("registry/a.yaml", 99, 1), "gone", "a line that is not there is not shown", "look again"),
    Diagnostic(Position("registry/ev\033[31mil.yaml"), "escape", "a\nmessage\twith \033 in it"),
)


def source_line(position: Position) -> tuple[str, int] | None:
    there = position.file == "registry/a.yaml" and position.line <= len(FILE)
    return (FILE[position.line - 1], position.column) if there else None


def test_the_text_names_the_place_and_underlines_it() -> None:
    assert_golden("views/diagnostics/all.txt", diagnostics_text(DIAGNOSTICS, source_line))


@pytest.mark.parametrize("column", [0, 1, 5, 500])
def test_a_column_outside_the_line_is_no_trouble(column: int) -> None:
    text = diagnostics_text([Diagnostic(Position("registry/a.yaml", 1, column), "r", "m")], source_line)
    assert text.splitlines()[-1].endswith("^")


def test_an_open_quote_is_underlined_to_the_end() -> None:
    text = diagnostics_text([Diagnostic(Position("f", 1, 4), "r", "m")], lambda _: ("a: 'no end", 4))
    assert text.splitlines()[-1].count("^") == len("'no end")


def test_colour_marks_errors_red_and_warnings_yellow() -> None:
    text = diagnostics_text(DIAGNOSTICS, source_line, Style(colour=True))
    assert "\033[31merror[model-id]" in text
    assert "\033[33mwarning[engine-argument]" in text


@pytest.mark.parametrize(
    ("count", "models", "expected"),
    [
        (0, 3, "No problems in 3 models, 1 cluster"),
        (0, None, "No problems"),
        (1, None, "1 error"),
        (3, None, "2 errors, 1 warning"),
    ],
)
def test_the_summary_counts(count: int, models: int | None, expected: str) -> None:
    assert summary_line(DIAGNOSTICS[:count], models, None if models is None else 1) == expected


def test_json_holds_everything() -> None:
    document = json.loads(diagnostics_json(DIAGNOSTICS[:3], None, None))
    assert (document["errors"], document["warnings"], document["models"]) == (2, 1, None)
    assert document["diagnostics"][0] == {
        "file": "registry/a.yaml",
        "line": 2,
        "column": 13,
        "severity": "error",
        "rule": "model-id",
        "message": "`acme/chat` is taken",
        "hint": "see `b.yaml`",
    }


def test_github_commands_are_one_line_each_whatever_they_hold() -> None:
    nasty = Diagnostic(Position("a,b:c%.yaml", 2, 3), "rule", "100 %\n::error::no\rmore", "a: b, c")
    assert diagnostics_github([nasty]) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=2,col=3,title=rule::100 %25%0A::error::no%0Dmore%0Ahint: a: b, c\n"
    )


def test_github_knows_warnings() -> None:
    assert diagnostics_github(DIAGNOSTICS[2:3]).startswith("::warning file=registry/a.yaml,line=4,col=26,")

"""The small parts that the views are made of."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state.capacity import Bundles
from reconciler.views.markdown import code, prose
from reconciler.views.printable import columns, cut, listed, log_line, plural, printable
from reconciler.views.resources import amount, interesting, replica_resources, resources
from reconciler.views.style import Style
from reconciler.views.table import table
from reconciler.views.values import shown


@given(st.text())
def test_printable_text_is_one_line_without_control_characters(text: str) -> None:
    assert len(printable(text).splitlines()) <= 1
    assert all(unicodedata.category(character) not in ("Cc", "Cf", "Cs") for character in printable(text))


def test_a_line_of_a_log_loses_its_colours_and_keeps_its_words() -> None:
    assert log_line("\033[1;31mERROR\033[0m out of\tmemory\033[2J") == "ERROR out of\\tmemory\\x1b[2J"


@given(st.text(), st.integers(3, 40))
def test_a_cut_text_fits_and_keeps_both_ends(text: str, width: int) -> None:
    result = cut(text, width)
    assert len(result) <= width
    assert result == text or (result[0] == text[0] and result[-1] == text[-1])


@given(st.text(alphabet="ab`| \\"))
def test_a_code_span_is_closed_by_its_own_fence_only(text: str) -> None:
    span = code(text)
    fence = re.match("`+", span)
    assert fence is not None
    runs = re.findall("`+", span)
    assert [runs[0], runs[-1]] == [fence[0], fence[0]]
    assert fence[0] not in runs[1:-1]


def test_prose_keeps_its_literals_and_nothing_else() -> None:
    text = "a `b_c` is *not* <b> @me #1"
    assert prose(text) == "a `b_c` is \\*not\\* &lt;b&gt; @&#8203;me #&#8203;1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", '"1"'),
        (1.0, "1"),
        (True, "true"),
        (None, "null"),
        ([1, {"a": 2}], '[1, {"a": 2}]'),
        ("(hidden)", "(hidden)"),
    ],
)
def test_values_are_json_so_that_kinds_can_be_told_apart(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_what_is_not_set_is_not_null() -> None:
    assert shown(None, False) == "(not set)"


@pytest.mark.parametrize(
    ("resource", "quantity", "expected"),
    [
        ("CPU", 1.0, "1"),
        ("CPU", 0.5, "0.5"),
        ("GPU", 100.0, "100"),
        ("accelerator_type:L4", 0.001, "0.001"),
        ("CPU", 0.00001, "0"),
        ("CPU", -0.00001, "0"),
        ("memory", 2**31, "2.0 GiB"),
    ],
)
def test_amounts_have_no_needless_digits(resource: str, quantity: float, expected: str) -> None:
    assert amount(resource, quantity) == expected


def test_resources_name_gpus_first_and_the_kind_of_accelerator_last() -> None:
    assert resources({"accelerator_type:L4": 0.001, "CPU": 8.0, "GPU": 1.0}) == "1 GPU, 8 CPU on L4"
    assert resources({}) == "no resources"
    assert replica_resources(Bundles(({"CPU": 1.0}, {"GPU": 1.0}))) == "1 GPU, 1 CPU in 2 bundles (PACK)"


def test_resources_that_ray_makes_up_are_not_interesting() -> None:
    made_up = {"node:10.0.0.1": 1.0, "memory": 1.0, "object_store_memory": 1.0, "CPU_group_0_abc": 1.0}
    assert interesting({**made_up, "CPU": 1.0}) == {"CPU": 1.0}


def test_columns_count_wide_characters_twice_and_colours_not_at_all() -> None:
    assert columns("漢") == 2
    assert columns("e\u0301") == 1
    assert columns(Style(colour=True).red("漢")) == 2


def test_a_table_is_aligned_whatever_it_holds() -> None:
    rows = [("漢字", "1", "x"), (Style(colour=True).bold("b"), "100", "")]
    assert table(rows, indent=" ", right=(1,)) == [" 漢字    1  x", " \033[1mb\033[0m     100"]


def test_counts_and_lists_in_words() -> None:
    assert (plural(1, "model"), plural(0, "model")) == ("1 model", "0 models")
    assert listed(["a"] * 3, limit=2) == "a, a and 1 more"


def test_nothing_is_coloured_into_nothing() -> None:
    assert Style(colour=True).red("") == ""

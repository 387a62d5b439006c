from dataclasses import replace

import pytest

from reconciler.state.provenance import Names, Record
from reconciler.state.way_back import last_good, last_whole, rollback_words, standing_rollback
from tests.state.test_provenance import BEGUN, ENDED, FAILED, remembering
from tests.support.states import OWNER


def hash_of(letter: str) -> str:
    return letter * 40


def applied(letter: str, record: Record = ENDED) -> Record:
    """An apply of the commit with that letter."""
    return replace(record, commit=hash_of(letter))


def back(to: str, start: str) -> Record:
    """A rollback between two of them."""
    return replace(applied(to), is_rollback=True, rolled_back_from=hash_of(start))


A, B, C = applied("a"), applied("b"), applied("c")
SOME = replace(B, models=Names(("org/chat",)))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((), None),
        ((A,), None),
        ((B, A), A),
        ((applied("b", FAILED), A), A),
        ((applied("b", BEGUN), A), A),
        ((C, applied("b", FAILED), A), A),
        ((C, applied("b", BEGUN), A), A),
        ((B, B, A), A),
        ((back("b", "c"), C, B, A), A),
        ((back("a", "b"), B, A), None),
        ((C, back("a", "b"), B, A), back("a", "b")),
        ((C, B, back("a", "b"), B, A), B),
        ((C, SOME, A), A),
        ((SOME, A), A),
        ((C, replace(B, dirty=True), A), A),
        ((replace(A, dirty=True), A), A),
        ((C, replace(B, commit=None), A), A),
        ((replace(C, commit=None), A), A),
    ],
)
def test_the_last_commit_that_ended_well_before_the_present_one(
    records: tuple[Record, ...], expected: Record | None
) -> None:
    assert last_good(records) == expected


def test_an_apply_of_some_models_leaves_the_rest_at_the_commit_before() -> None:
    assert last_whole((SOME, A)) == A.commit
    assert last_whole((SOME,)) is None


@pytest.mark.parametrize(
    ("records", "stands"),
    [
        ((), False),
        ((A,), False),
        ((back("a", "b"), B, A), True),
        ((SOME, back("a", "c"), C), True),
        ((SOME,), False),
        ((B, back("a", "b"), B, A), False),
    ],
)
def test_a_rollback_stands_until_everything_is_applied_again(records: tuple[Record, ...], stands: bool) -> None:
    live = remembering({"history": [record.plain for record in records]})
    found = standing_rollback(live, OWNER)
    assert (found is not None and found.is_rollback) is stands
    assert standing_rollback(live, "somebody-else") is None


def test_a_rollback_in_words() -> None:
    rolled = replace(back("a", "b"), who="me", time="2026-01-02")
    assert rollback_words(rolled) == "the cluster was rolled back to commit aaaaaaaaaaaa by me at 2026-01-02"
    some = replace(rolled, models=Names(("org/a", "org/b"), 3), commit=None, who=None)
    assert rollback_words(some) == (
        "`org/a`, `org/b` and 3 more were rolled back to an unknown commit by somebody at 2026-01-02"
    )
    assert rollback_words(replace(rolled, models=Names(("org/a",)))).startswith("`org/a` was rolled back")

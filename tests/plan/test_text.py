import pytest

from reconciler.plan.text import duration, first_line, plural


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (95, "95 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (5400, "90 min"),
        (7200, "2 h"),
        (9000, "2.5 h"),
        (200_000, "2 days"),
    ],
)
def test_seconds_are_said_without_needless_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_one_is_not_several() -> None:
    assert (plural(1, "replica"), plural(0, "replica")) == ("1 replica", "0 replicas")


def test_the_first_line_is_the_first_that_says_anything() -> None:
    assert first_line("\n  out of memory\nmore") == "out of memory"
    assert first_line(" \n") == ""

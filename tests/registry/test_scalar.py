import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.registry.scalar import Scalar, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("null", None),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("false", False),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("999999999999999999", 999999999999999999),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.5e+3", 1500.0),
        ("1.5e-3", 0.0015),
        ("text", "text"),
        ("nothing", "nothing"),
        ("1.2.3", "1.2.3"),
        ("8B", "8B"),
        ("-", "-"),
        ("...x", "...x"),
        ("0.6B", "0.6B"),
        ("2024-01", "2024-01"),
    ],
)
def test_plain_spellings(text: str, value: Scalar) -> None:
    found, surprise = resolve(text)
    assert (found, type(found), surprise) == (value, type(value), None)


@pytest.mark.parametrize(
    ("text", "value", "rule", "hint"),
    [
        ("yes", True, "yaml-boolean", 'write `true`, or quote it if text is meant: `"yes"`'),
        ("on", True, "yaml-boolean", 'write `true`, or quote it if text is meant: `"on"`'),
        ("y", True, "yaml-boolean", 'write `true`, or quote it if text is meant: `"y"`'),
        ("NO", False, "yaml-boolean", 'write `false`, or quote it if text is meant: `"NO"`'),
        ("Off", False, "yaml-boolean", 'write `false`, or quote it if text is meant: `"Off"`'),
        ("N", False, "yaml-boolean", 'write `false`, or quote it if text is meant: `"N"`'),
        ("1e3", 1000.0, "yaml-number", "write `1000`, or quote it"),
        ("1.5e3", 1500.0, "yaml-number", "write `1500`, or quote it"),
        ("1E-7", 1e-07, "yaml-number", "write `1.0e-07`, or quote it"),
        ("25e-3", 0.025, "yaml-number", "write `0.025`, or quote it"),
        ("1e400", 0.0, "yaml-number", 'quote it: `"1e400"`'),
        ("1.0e+400", 0.0, "yaml-number", 'quote it: `"1.0e+400"`'),
        ("1" + "0" * 30, 0, "yaml-number", f'quote it: `"1{"0" * 30}"`'),
        ("010", "010", "yaml-number", 'write it in decimal, or quote it: `"010"`'),
        ("089", "089", "yaml-number", 'write it in decimal, or quote it: `"089"`'),
        ("0o17", "0o17", "yaml-number", 'write it in decimal, or quote it: `"0o17"`'),
        ("0xFF", "0xFF", "yaml-number", 'write it in decimal, or quote it: `"0xFF"`'),
        ("0b101", "0b101", "yaml-number", 'write it in decimal, or quote it: `"0b101"`'),
        ("1_000", "1_000", "yaml-number", 'write it without underscores, or quote it: `"1_000"`'),
        ("1_000.5", "1_000.5", "yaml-number", 'write it without underscores, or quote it: `"1_000.5"`'),
        ("1:30", "1:30", "yaml-number", 'quote it: `"1:30"`'),
        ("190:20:30", "190:20:30", "yaml-number", 'quote it: `"190:20:30"`'),
        ("1:30.5", "1:30.5", "yaml-number", 'quote it: `"1:30.5"`'),
        (".inf", ".inf", "yaml-number", "write a finite number, or quote it"),
        ("-.INF", "-.INF", "yaml-number", "write a finite number, or quote it"),
        (".nan", ".nan", "yaml-number", "write a finite number, or quote it"),
        ("2024-01-31", "2024-01-31", "yaml-timestamp", 'quote it: `"2024-01-31"`'),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z", "yaml-timestamp", 'quote it: `"2024-01-31T10:00:00Z"`'),
    ],
)
def test_surprises_are_refused_with_their_likeliest_value(text: str, value: Scalar, rule: str, hint: str) -> None:
    found, surprise = resolve(text)
    assert surprise is not None
    assert (found, type(found), surprise.rule, surprise.hint) == (value, type(value), rule, hint)


PLAIN = st.text(st.sampled_from("0123456789+-.eExob_:TyYnNosfultra~"), min_size=1, max_size=10)


@settings(deadline=None)
@given(PLAIN)
def test_what_is_accepted_means_the_same_to_pyyaml(text: str) -> None:
    value, surprise = resolve(text)
    try:
        theirs = yaml.safe_load(f"[{text} ]")[0]
    except (yaml.YAMLError, ValueError):
        return
    if surprise is None and not isinstance(theirs, dict | list):
        assert (value, type(value)) == (theirs, type(theirs))

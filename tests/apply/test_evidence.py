import pytest

from reconciler.apply.evidence import WIDTH, first_line, lines_of
from reconciler.registry.mask import mask

SECRET = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"token hf_{SECRET} used", "token (hidden) used"),
        ("short hf_abcdefg too", "short (hidden) too"),
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer (hidden)"),
        (f"authorization=basic {SECRET}", "authorization=basic (hidden)"),
        (f"HF_TOKEN={SECRET}", "HF_TOKEN=(hidden)"),
        (f"{{'api_key': '{SECRET}'}}", "{'api_key': '(hidden)'}"),
        (f"two sk-{SECRET} and AKIAABCDEFGHIJKLMNOP.", "two (hidden) and (hidden)"),
        ("cloning https://me:secret@host/x now", "cloning https(hidden) now"),
        (SECRET * 2, "(hidden)"),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text", ["HF_TOKEN=${HF_TOKEN} is a reference", "max_tokens=1024", "eos_token: '<|endoftext|>'", "plain words"]
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


def test_lines_are_trimmed_and_freed_of_colours_and_prefixes() -> None:
    text = "\n  \x1b[31m(EngineCore_DP0 pid=12) ERROR boom\x1b[0m  \n\n" + "x y" * WIDTH
    assert list(lines_of(text)) == ["ERROR boom", ("x y" * WIDTH)[:WIDTH]]


def test_the_first_line_is_the_first_that_says_something() -> None:
    assert first_line("\n \nfirst\nsecond") == "first"
    assert first_line(" \n") == ""


def test_the_marks_of_ray_and_the_prefixes_of_vllm_are_left_out() -> None:
    marks = ":job_id:01000000\n:actor_name:ServeReplica:a:b\n"
    text = f"{marks}(EngineCore pid=9) ERROR 01-02 10:11:12 [core.py:8] ValueError: x"
    assert list(lines_of(text)) == ["ValueError: x"]

import pytest

from reconciler.registry.model_id import MAX_MODEL_ID_LENGTH, application_name, is_model_id


def test_the_application_name_has_neither_slashes_nor_dots() -> None:
    assert application_name("meta-llama/Llama-3.1-8B") == "meta-llama--Llama-3_1-8B"


@pytest.mark.parametrize("model_id", ["gpt2", "a/b", "a/b/c", "Qwen/Qwen3-0.6B", "x_y.z-1", "a" * MAX_MODEL_ID_LENGTH])
def test_model_ids(model_id: str) -> None:
    assert is_model_id(model_id)


@pytest.mark.parametrize(
    "model_id",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "a:b",
        "a b",
        "a?b",
        "a#b",
        "a%b",
        "-a",
        "a/.b",
        "ä",
        "a\n",
        "a" * (MAX_MODEL_ID_LENGTH + 1),
    ],
)
def test_what_cannot_be_carried_in_a_url_is_no_model_id(model_id: str) -> None:
    assert not is_model_id(model_id)

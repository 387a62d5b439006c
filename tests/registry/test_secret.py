import pytest

from reconciler.registry.secret import find_secrets, is_secret_name, is_secret_path


# Put together here so that no scanner takes this file for a leak.
@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        ("hf" + "_abcdefghijklmnopqrstuvwxyz", "a Hugging Face token"),
        ("sk" + "-proj-abcdefghijklmnopqrstuvwxyz", "an API key (sk-...)"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "an AWS access key id"),
        ("ASIA" + "ABCDEFGHIJKLMNOP", "an AWS access key id"),
        ("ghp" + "_abcdefghijklmnopqrstuvwxyz0123456789", "a GitHub token"),
        ("github_" + "pat_abcdefghijklmnopqrstuv_wxyz", "a GitHub token"),
        ("glpat" + "-abcdefghijklmnopqrstuv", "a GitLab token"),
        ("xoxb" + "-1234567890-abcdef", "a Slack token"),
        ("AIza" + "abcdefghijklmnopqrstuvwxyz012345678", "a Google API key"),
        ("eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.c2ln", "a JSON web token"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("s3://user" + ":password@host", "a password in a URL"),
    ],
)
def test_well_known_tokens_are_found_anywhere(secret: str, kind: str) -> None:
    found = find_secrets(f"a: 1  # {secret}\n")
    assert [each for _, each in found] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "hf_model_id: a/b",
        "risk-averse",
        "https://${env:USER}:${env:PASSWORD}@host",
        "https://host:80/a@b",
        "a@b",
    ],
)
def test_other_text_is_no_token(text: str) -> None:
    assert find_secrets(text) == []


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN",
        "hf_token",
        "VLLM_API_KEY",
        "apiKey",
        "dbPassword",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "APIKEY",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "tokenizer",
        "TOKENIZERS_PARALLELISM",
        "TOKEN_FILE",
        "eos_token",
        "key",
        "stop_token_ids",
        "keyboard",
    ],
)
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


def test_a_path_is_secret_below_env_vars_and_below_a_secrets_name() -> None:
    assert is_secret_path(("engine_config", "runtime_env", "env_vars", "A"))
    assert is_secret_path(("token", 0))
    assert not is_secret_path(("engine_config", "engine_kwargs", "seed"))

import socket

import pytest

from reconciler.cli.whence import whence

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/registry",
    "GITHUB_RUN_ID": "42",
    "GITHUB_TOKEN": "hush-hush",
}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (GITHUB, "https://github.com/acme/registry/actions/runs/42"),
        ({"CI_JOB_URL": "https://gitlab.example/a/b/-/jobs/7"}, "https://gitlab.example/a/b/-/jobs/7"),
        ({"BUILD_URL": "https://me:hush-hush@jenkins:8080/job/1/?token=hush-hush#x"}, "https://jenkins:8080/job/1/"),
        ({"BUILD_URL": "http://[broken"}, socket.gethostname()),
        ({"GITHUB_RUN_ID": "42"}, socket.gethostname()),
        ({}, socket.gethostname()),
    ],
)
def test_a_job_is_named_by_its_address_and_any_other_run_by_its_machine(
    variables: dict[str, str], expected: str
) -> None:
    assert whence(variables) == expected

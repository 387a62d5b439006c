"""Which forge a CI job runs for, from the variables that it sets for every job."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from reconciler.cli.failure import Failure
from reconciler.forge.github import GitHub
from reconciler.forge.gitlab import GitLab
from reconciler.forge.requests import Requests

_OUTSIDE = "run it in a job of GitHub Actions or GitLab CI, or use `--dry-run` to see the text"


def forge_of(variables: Mapping[str, str], number: int | None = None, *, needs_number: bool) -> GitHub | GitLab:
    """The forge, its repository, and the pull request of `number` or of the job. Raises Failure that names the variable
    that is missing."""
    if variables.get("GITHUB_ACTIONS") == "true":
        return _github(variables, number, needs_number)
    if variables.get("GITLAB_CI") == "true":
        return _gitlab(variables, number, needs_number)
    raise Failure("this runs in no CI job that is known here", _OUTSIDE)


def base_of(variables: Mapping[str, str]) -> str | None:
    """The branch that the job's pull request is to be merged into, as git calls it here; None outside of one."""
    branch = variables.get("GITHUB_BASE_REF") or variables.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    return f"origin/{branch}" if branch else None


def _github(variables: Mapping[str, str], number: int | None, needs_number: bool) -> GitHub:
    token = _wanted(variables, "GITHUB_TOKEN", "give the step `env: GITHUB_TOKEN: ${{ github.token }}`")
    repository = _wanted(variables, "GITHUB_REPOSITORY", _OUTSIDE)
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    requests = Requests(variables.get("GITHUB_API_URL") or "https://api.github.com", headers)
    if needs_number and number is None:
        number = _number_of_event(variables)
    return GitHub(requests, quote(repository), number)


def _number_of_event(variables: Mapping[str, str]) -> int:
    try:
        event = json.loads(Path(variables.get("GITHUB_EVENT_PATH", "")).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (OSError, ValueError, KeyError, TypeError):
        raise Failure(
            "the job is for no pull request", "run it `on: pull_request`, or name the pull request with `--number`"
        ) from None


def _gitlab(variables: Mapping[str, str], number: int | None, needs_number: bool) -> GitLab:
    hint = "make a project access token with the scope `api` and give it to the job as a masked variable"
    token = _wanted(variables, "GITLAB_TOKEN", hint)
    address = _wanted(variables, "CI_API_V4_URL", _OUTSIDE)
    project = _wanted(variables, "CI_PROJECT_ID", _OUTSIDE)
    if needs_number and number is None:
        found = variables.get("CI_MERGE_REQUEST_IID", "")
        if not found.isdecimal():
            raise Failure(
                "the job is for no merge request",
                'add `rules: [{if: $CI_PIPELINE_SOURCE == "merge_request_event"}]`, or name it with `--number`',
            )
        number = int(found)
    return GitLab(Requests(address, {"PRIVATE-TOKEN": token}), quote(project, safe=""), number)


def _wanted(variables: Mapping[str, str], name: str, hint: str) -> str:
    value = variables.get(name, "").strip()
    if not value:
        raise Failure(f"the variable `{name}` is not set", hint)
    return value

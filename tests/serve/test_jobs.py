"""Jobs over the REST API: what is sent, and what every answer means."""

import json
from typing import Any

import httpx
import pytest

from reconciler.serve.errors import BadAnswer, JobsUnusable, ServeError, Unauthorized, Unreachable
from reconciler.serve.job import Job, JobStatus
from reconciler.serve.rest import RestClient
from tests.support.dashboard import ADDRESS, Dashboard
from tests.support.fake_jobs import FakeJobs
from tests.support.sender import FakeSender, silent

EXISTS = (
    "Traceback (most recent call last):\nValueError: Job with submission_id a already exists. Please use another.\n.\n"
)


def details(**fields: Any) -> dict[str, Any]:
    """One entry of the list, as Ray 2.60 gives it."""
    return {
        "type": "SUBMISSION",
        "job_id": None,
        "submission_id": "a",
        "status": "RUNNING",
        "entrypoint": "sleep 10",
        "metadata": {"who": "me"},
        **fields,
    }


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard()


def test_submitted_jobs_are_listed_and_drivers_left_out(dashboard: Dashboard) -> None:
    ghost = details(submission_id="b", status="FAILED", metadata=None, entrypoint="Entrypoint not found.")
    dashboard.answers["GET /api/jobs/"] = [
        httpx.Response(200, json=[details(), ghost, details(submission_id=None, type="DRIVER"), "what?"])
    ]
    assert dashboard.client().jobs() == (Job("a", JobStatus.RUNNING, {"who": "me"}), Job("b", JobStatus.FAILED, {}))


def test_a_status_of_another_ray_has_not_certainly_ended(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/jobs/"] = [httpx.Response(200, json=[details(status="HIBERNATING")])]
    [job] = dashboard.client().jobs()
    assert not job.status.has_ended


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json={}), httpx.Response(500, text="boom")]
)
def test_no_list_is_a_bad_answer(dashboard: Dashboard, answer: httpx.Response) -> None:
    dashboard.answers["GET /api/jobs/"] = answer
    with pytest.raises(BadAnswer, match="no list of jobs"):
        dashboard.client().jobs()


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_job_api_that_is_not_offered_is_named(dashboard: Dashboard, status: int) -> None:
    dashboard.answers |= {"GET /api/jobs/": httpx.Response(status), "POST /api/jobs/": httpx.Response(status)}
    with pytest.raises(JobsUnusable, match=rf"cannot be used.*{status}"):
        dashboard.client().jobs()
    with pytest.raises(JobsUnusable, match=rf"cannot be used.*{status}"):
        dashboard.client().submit_job("a", "true", {})


def test_a_token_that_is_wrong_is_another_matter(dashboard: Dashboard) -> None:
    dashboard.answers |= {"GET /api/jobs/": httpx.Response(401), "POST /api/jobs/": httpx.Response(401)}
    with pytest.raises(Unauthorized, match="wants a token"):
        dashboard.client().jobs()
    with pytest.raises(Unauthorized, match="wants a token"):
        dashboard.client().submit_job("a", "true", {})


def test_a_submission_takes_no_resources(dashboard: Dashboard) -> None:
    dashboard.answers["POST /api/jobs/"] = {"job_id": "a", "submission_id": "a"}
    assert dashboard.client().submit_job("a", "sleep 10", {"who": "me"})
    assert json.loads(dashboard.asked[-1].content) == {
        "submission_id": "a",
        "entrypoint": "sleep 10",
        "entrypoint_num_cpus": 0,
        "metadata": {"who": "me"},
    }


@pytest.mark.parametrize("status", [400, 500])
def test_an_id_that_is_taken_is_no_error(dashboard: Dashboard, status: int) -> None:
    dashboard.answers["POST /api/jobs/"] = httpx.Response(status, text=EXISTS)
    assert not dashboard.client().submit_job("a", "true", {})


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (httpx.Response(500, text="Traceback\nRuntimeError: No agent\n.\n"), ServeError, "500.*RuntimeError: No agent"),
        (httpx.Response(502), ServeError, "502.*no explanation"),
        (silent(), Unreachable, "no answer in time"),
    ],
)
def test_a_submission_in_doubt_is_sent_once(
    dashboard: Dashboard, answer: object, error: type[Exception], said: str
) -> None:
    dashboard.answers["POST /api/jobs/"] = answer
    with pytest.raises(error, match=said):
        dashboard.client().submit_job("a", "true", {})
    assert dashboard.paths() == ["POST /api/jobs/"]


@pytest.mark.parametrize("status", [200, 404])
def test_stopping_and_forgetting_what_is_gone_is_no_error(dashboard: Dashboard, status: int) -> None:
    dashboard.answers |= {"POST /api/jobs/a/stop": httpx.Response(status), "DELETE /api/jobs/a": httpx.Response(status)}
    dashboard.client().stop_job("a")
    dashboard.client().delete_job("a")
    assert dashboard.paths() == ["POST /api/jobs/a/stop", "DELETE /api/jobs/a"]


def test_stopping_and_forgetting_may_fail(dashboard: Dashboard) -> None:
    broken = httpx.Response(500, text="RuntimeError: non-terminal state")
    dashboard.answers |= {"POST /api/jobs/a/stop": broken, "DELETE /api/jobs/a": broken}
    with pytest.raises(ServeError, match="did not stop a job"):
        dashboard.client().stop_job("a")
    with pytest.raises(ServeError, match="did not forget a job"):
        dashboard.client().delete_job("a")


def test_the_fake_answers_over_http_what_it_answers_in_memory(dashboard: Dashboard) -> None:
    board = FakeJobs()

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        status, found = board.answer(request.method, request.url.path, body)
        return httpx.Response(status, text=found) if isinstance(found, str) else httpx.Response(status, json=found)

    client = RestClient(ADDRESS, sender=FakeSender(answer))
    assert client.submit_job("a", "sleep 10", {"who": "me"})
    assert not client.submit_job("a", "sleep 10", {"who": "you"})
    assert client.jobs() == board.jobs() == (Job("a", JobStatus.PENDING, {"who": "me"}),)
    with pytest.raises(ServeError, match="non-terminal"):
        client.delete_job("a")
    client.stop_job("a")
    board.advance(5)
    client.delete_job("a")
    client.delete_job("a")
    assert client.jobs() == ()

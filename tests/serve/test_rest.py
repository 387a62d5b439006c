"""The REST client: what it asks, what it tries again, and what it says when something is wrong."""

import ssl

import httpx
import pytest

from reconciler.serve.answers import NoAnswer
from reconciler.serve.errors import BadAnswer, PutRefused, ServeError, Unauthorized, Unreachable
from reconciler.serve.rest import RestClient
from reconciler.state.live import LiveState, UnknownState
from tests.support.dashboard import ADDRESS, Dashboard, application_details, rows, serve_details
from tests.support.sender import refused, reset, silent

APPLICATIONS = "/api/serve/applications/"
TOKEN = "0123456789abcdef-token"
ACTORS = rows({"name": "SERVE_REPLICA::a#Light#r1", "state": "ALIVE"})


@pytest.fixture
def dashboard() -> Dashboard:
    """A healthy one."""
    return Dashboard()


def test_a_read_asks_for_applications_nodes_and_usage(dashboard: Dashboard) -> None:
    client = dashboard.client()
    state = client.live_state()
    assert isinstance(state, LiveState)
    assert state.ray_version == "2.60.0"
    client.live_state()
    assert dashboard.paths().count("GET /api/ray/version") == 1
    assert "GET /api/v0/actors" not in dashboard.paths()


def test_who_waits_asks_for_applications_alone(dashboard: Dashboard) -> None:
    client = dashboard.client()
    first = client.look_again()
    asked = len(dashboard.asked)
    assert client.look_again() == first
    assert dashboard.paths()[asked:] == ["GET /api/serve/applications/"]
    client.live_state()
    assert dashboard.paths().count("GET /api/v0/nodes") == dashboard.paths().count("GET /api/cluster_status") == 2


def test_it_never_looks_like_a_browser_and_shows_its_token(dashboard: Dashboard) -> None:
    dashboard.client(token=TOKEN).live_state()
    for request in dashboard.asked:
        assert request.headers["User-Agent"].startswith("reconciler/")
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"


def test_without_a_token_there_is_no_authorization(dashboard: Dashboard) -> None:
    dashboard.client().live_state()
    assert all("Authorization" not in request.headers for request in dashboard.asked)


def test_a_path_in_the_address_is_kept(dashboard: Dashboard) -> None:
    dashboard.answers["GET /ray/api/serve/applications/"] = serve_details()
    assert dashboard.client(f"{ADDRESS}/ray/").serve_details() == serve_details()


def test_credentials_in_the_address_are_not_shown(dashboard: Dashboard) -> None:
    assert dashboard.client("http://me:hush-hush@ray.test:8265").address == ADDRESS


@pytest.mark.parametrize("busy", [refused(), httpx.Response(503), httpx.Response(429)])
def test_a_read_is_tried_again_while_nobody_answers(dashboard: Dashboard, busy: object) -> None:
    dashboard.answers["GET /api/serve/applications/"] = [busy, busy, serve_details()]
    assert isinstance(dashboard.client().live_state(), LiveState)
    assert len(dashboard.slept) == 2


def test_a_read_gives_up_after_four_tries(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/serve/applications/"] = refused()
    with pytest.raises(Unreachable) as raised:
        dashboard.client().live_state()
    assert raised.value.message == f"cannot reach the Ray dashboard at {ADDRESS} (connection refused)"
    assert "`dashboard.address`" in (raised.value.hint or "")
    assert len(dashboard.asked) == 4


def test_a_cluster_of_this_machine_may_not_be_up() -> None:
    with pytest.raises(Unreachable) as raised, RestClient("http://127.0.0.1:9", sleep=lambda seconds: None) as client:
        client.live_state()
    assert "reconcile local up" in (raised.value.hint or "")


def test_a_dashboard_that_stays_busy_is_unreachable_with_its_words(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/serve/applications/"] = httpx.Response(503, text="The GCS may be down")
    with pytest.raises(Unreachable, match=r"not ready \(503\): The GCS may be down"):
        dashboard.client().live_state()


def test_a_time_out_is_not_tried_again(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/serve/applications/"] = silent()
    with pytest.raises(Unreachable, match="no answer in time"):
        dashboard.client().live_state()
    assert len(dashboard.asked) == 1


def test_a_certificate_that_is_not_trusted_points_to_the_ca_file(dashboard: Dashboard) -> None:
    error = NoAnswer(ssl.SSLCertVerificationError("certificate verify failed"), never_connected=True)
    dashboard.answers["GET /api/serve/applications/"] = error
    with pytest.raises(Unreachable) as raised:
        dashboard.client().live_state()
    assert "dashboard.ca_file" in (raised.value.hint or "")
    assert len(dashboard.asked) == 1


def test_a_missing_token_points_to_the_cluster_file(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/serve/applications/"] = httpx.Response(401, text="Missing authentication token")
    with pytest.raises(Unauthorized, match=r"wants a token \(401\)") as raised:
        dashboard.client().live_state()
    assert "dashboard.token" in (raised.value.hint or "")


@pytest.mark.parametrize("method", ["live_state", "put"])
def test_a_refused_token_is_not_shown(dashboard: Dashboard, method: str) -> None:
    for verb in ("GET", "PUT"):
        dashboard.answers[f"{verb} {APPLICATIONS}"] = httpx.Response(403)
    client = dashboard.client(token=TOKEN)
    with pytest.raises(Unauthorized, match="refuses the token") as raised:
        client.put({"applications": []}) if method == "put" else client.live_state()
    assert TOKEN not in f"{raised.value} {raised.value.hint} {raised.value!r}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>please log in</html>"), "did not answer JSON"),
        (httpx.Response(404, text="no such page"), "answered 404: no such page"),
        (httpx.Response(302, headers={"Location": "https://login.test"}), "answered 302"),
    ],
)
def test_something_else_at_the_address_is_a_bad_answer(dashboard: Dashboard, answer: httpx.Response, said: str) -> None:
    dashboard.answers["GET /api/serve/applications/"] = answer
    with pytest.raises(BadAnswer, match=said) as raised:
        dashboard.client().live_state()
    assert "Ray dashboard" in (raised.value.hint or "")


def test_an_empty_list_beside_living_replicas_is_looked_at_twice(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/serve/applications/"] = serve_details()
    dashboard.answers["GET /api/v0/actors"] = ACTORS
    assert isinstance(dashboard.client().live_state(), UnknownState)
    dashboard.answers["GET /api/v0/actors"] = [ACTORS, rows()]
    assert isinstance(dashboard.client().live_state(), LiveState)
    dashboard.answers["GET /api/serve/applications/"] = [serve_details(), serve_details(a=application_details("a"))]
    dashboard.answers["GET /api/v0/actors"] = ACTORS
    assert isinstance(dashboard.client().live_state(), LiveState)


def test_a_cluster_without_a_usage_report_is_still_read(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/cluster_status"] = httpx.Response(500, text="no report yet")
    state = dashboard.client().live_state()
    assert isinstance(state, LiveState)
    assert state.nodes[0].used == {}


def test_a_put_is_sent_once_as_it_is(dashboard: Dashboard) -> None:
    dashboard.answers["PUT /api/serve/applications/"] = httpx.Response(200)
    dashboard.client().put({"applications": [{"name": "a"}]})
    (request,) = dashboard.asked
    assert request.content == b'{"applications":[{"name":"a"}]}'


@pytest.mark.parametrize("error", [refused(), silent(), reset()])
def test_a_doubtful_put_is_never_repeated(dashboard: Dashboard, error: Exception) -> None:
    dashboard.answers["PUT /api/serve/applications/"] = error
    with pytest.raises(Unreachable):
        dashboard.client().put({"applications": []})
    assert len(dashboard.asked) == 1


def test_a_refused_put_says_why_in_one_line_without_secrets(dashboard: Dashboard) -> None:
    body = (
        "\x1b[36mray::ServeController.apply_config()\x1b[39m\n"
        '  File "controller.py", line 1305, in apply_config\n'
        "TypeError: runtime_env['env_vars'] must be of type Dict[str, str], got {'A': 'hush-hush', 'B': False}"
    )
    dashboard.answers["PUT /api/serve/applications/"] = httpx.Response(400, text=body)
    document = {"applications": [{"name": "a", "runtime_env": {"env_vars": {"A": "hush-hush", "B": False}}}]}
    with pytest.raises(PutRefused) as raised:
        dashboard.client().put(document)
    assert raised.value.status == 400
    assert raised.value.message == (
        "the Ray dashboard refused the Serve config (400): "
        "TypeError: runtime_env['env_vars'] must be of type Dict[str, str], got {'A': '(hidden)', 'B': False}"
    )


def test_a_package_is_uploaded_only_when_the_cluster_lacks_it(dashboard: Dashboard) -> None:
    path = "/api/packages/gcs/code-1.zip"
    dashboard.answers[f"GET {path}"] = [httpx.Response(404), httpx.Response(200)]
    dashboard.answers[f"PUT {path}"] = httpx.Response(200)
    client = dashboard.client()
    client.upload_package("code-1.zip", b"zip")
    client.upload_package("code-1.zip", b"zip")
    assert dashboard.paths() == [f"GET {path}", f"PUT {path}", f"GET {path}"]
    assert dashboard.asked[1].content == b"zip"


def test_a_package_that_is_not_taken_is_an_error(dashboard: Dashboard) -> None:
    path = "/api/packages/gcs/code-1.zip"
    dashboard.answers[f"GET {path}"] = httpx.Response(404)
    dashboard.answers[f"PUT {path}"] = httpx.Response(500, text="out of memory")
    with pytest.raises(ServeError, match=r"did not take the package `code-1.zip` \(500\): out of memory"):
        dashboard.client().upload_package("code-1.zip", b"zip")


def test_a_log_is_asked_for_by_node_and_file(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/v0/logs/file"] = httpx.Response(200, text="one\ntwo\n")
    assert dashboard.client().replica_log("/serve/replica_a.log", "n1", lines=2) == "one\ntwo\n"
    params = dashboard.asked[0].url.params
    assert (params["filename"], params["node_id"], params["lines"]) == ("serve/replica_a.log", "n1", "2")


def test_the_output_of_an_actor_is_asked_for_by_its_id(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/v0/logs/file"] = httpx.Response(200, text="line\n")
    assert dashboard.client().actor_output("a1", lines=3) == "line\nline\n"
    asked = [request.url.params for request in dashboard.asked]
    assert [(found["actor_id"], found["suffix"], found["lines"]) for found in asked] == [
        ("a1", "out", "3"),
        ("a1", "err", "3"),
    ]


def test_a_log_without_a_node_or_a_file_is_empty(dashboard: Dashboard) -> None:
    dashboard.answers["GET /api/v0/logs/file"] = httpx.Response(500, text="A file is not found")
    assert dashboard.client().replica_log("/serve/replica_a.log", None) == ""
    assert dashboard.client().replica_log("/serve/replica_a.log", "n1") == ""


@pytest.mark.parametrize("address", ["", "ray.test:8265", "ftp://ray.test", "http://", "http://ray.test:many"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ServeError, match="is no address of a web server"):
        RestClient(address)


def test_a_ca_file_that_cannot_be_read_is_named(tmp_path: object) -> None:
    with pytest.raises(ServeError, match=r"cannot read the certificates in `.*missing.pem` \(no such file"):
        RestClient("https://ray.test", ca_file=f"{tmp_path}/missing.pem")


def test_plain_http_at_an_https_address_is_told() -> None:
    error = NoAnswer(ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), never_connected=True)
    dashboard = Dashboard()
    dashboard.answers["GET /api/serve/applications/"] = error
    with pytest.raises(Unreachable) as raised:
        dashboard.client().live_state()
    assert "`http://`" in (raised.value.hint or "")


def test_leaving_closes_the_connections(dashboard: Dashboard) -> None:
    with dashboard.client() as client:
        client.serve_details()
        assert not dashboard.sender.cleared
    assert dashboard.sender.cleared


def test_replicas_of_an_application_that_could_not_be_built_are_looked_for(dashboard: Dashboard) -> None:
    other = {"name": "SERVE_REPLICA::ab#Light#r9", "state": "ALIVE"}
    dashboard.answers["GET /api/v0/actors"] = rows(ACTORS["data"]["result"]["result"][0], other)
    unbuilt = application_details("a", status="DEPLOY_FAILED", deployments={})
    dashboard.answers["GET /api/serve/applications/"] = serve_details(a=unbuilt, ab=application_details("ab"))
    state = dashboard.client().live_state()
    assert isinstance(state, LiveState)
    assert [(entry.name, entry.unlisted, entry.serves) for entry in state.applications] == [
        ("a", ("r1",), True),
        ("ab", (), True),
    ]


def test_replicas_that_ray_lists_are_not_looked_for(dashboard: Dashboard) -> None:
    failed = application_details("a", status="DEPLOY_FAILED")
    dashboard.answers["GET /api/serve/applications/"] = serve_details(a=failed)
    state = dashboard.client().live_state()
    assert isinstance(state, LiveState) and state.applications[0].unlisted == ()
    assert "GET /api/v0/actors" not in dashboard.paths()

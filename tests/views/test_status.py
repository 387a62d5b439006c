from dataclasses import replace

from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveDeployment, LiveState, Node, Replica
from reconciler.state.work import About, Adapter, ReplicaWork, UnknownWork, Weights, Work
from reconciler.status.observe import observe
from reconciler.status.report import StatusReport
from reconciler.views.status_model import status_model
from reconciler.views.status_text import Surroundings, status_text
from tests.support.golden import assert_golden
from tests.support.states import desired, model, replicas

TIME = "2026-03-01T10:40:03+00:00"
ABOUT = About(
    {"vllm": "0.29.0", "ray": "2.60.0"},
    Weights("Qwen/Qwen3-8B", "0123456789abcdef" * 2),
    {"fr": Adapter("failed", None, "no such file")},
)
OPTIONS = {
    "max_ongoing_requests": 64,
    "request_router_config": {
        "request_router_class": "ray.serve._private.request_router:PowerOfTwoChoicesRequestRouter"
    },
    "placement_group_bundles": [{"GPU": 1.0, "CPU": 4.0, "accelerator_type:L4": 0.001}],
}
STATE = desired(
    model("acme/broken"),
    model("acme/chat", deployment=replicas(1, 4), scaling={"resources_per_worker": {"accelerator_type:L4": 0.001}}),
    model("acme/new"),
    model("acme/quiet"),
)


def application(
    name: str,
    status: ApplicationStatus,
    owner: str | None,
    message: str = "",
    *,
    count: int = 2,
    state: str = "RUNNING",
) -> LiveApplication:
    found = tuple(
        Replica(f"{name[-5:]}{number}", state, "node-1", started_s=1_772_000_000.0) for number in range(count)
    )
    args = {"owner": owner} if owner else {}
    health = "HEALTHY" if status is ApplicationStatus.RUNNING else "UPDATING"
    deployments = (LiveDeployment(f"LLMServer:{name}", health, "", 2, found, OPTIONS),)
    return LiveApplication(name, status, message, Application({"name": name, "args": args}), deployments)


LIVE = LiveState(
    "2.60.0",
    (
        application("a-neighbour", ApplicationStatus.RUNNING, None),
        application(
            "acme--broken", ApplicationStatus.DEPLOY_FAILED, "team", "cannot load\nout of \033 memory", state="STARTING"
        ),
        application("acme--chat", ApplicationStatus.RUNNING, "team"),
        application("acme--quiet", ApplicationStatus.RUNNING, "team", count=1),
        application("gateway", ApplicationStatus.RUNNING, "team", count=1),
        LiveApplication("script", ApplicationStatus.RUNNING, "", None, (), declarative=False),
    ),
    (
        Node("0123456789abcdef", {"CPU": 8.0, "GPU": 2.0, "memory": 1e9, "accelerator_type:L4": 1.0}, {"GPU": 0.5}),
        Node("fedcba9876543210", {"CPU": 16.0, "node:10.0.0.1": 1.0}, {}),
    ),
    {},
)
WORK = Work(
    {
        "acme--chat": (
            ReplicaWork("-chat0", 600, 1, 3.2, 7200.0, ABOUT),
            ReplicaWork("-chat1", 604, 2, 0.4, 3600.0, replace(ABOUT, weights=Weights("Qwen/Qwen3-8B", None))),
        ),
        "acme--quiet": (ReplicaWork("quiet0", 0, 0, None, 7300.0),),
    }
)


def report(work: Work | UnknownWork = WORK) -> StatusReport:
    return observe(STATE, LIVE, work, TIME)


def test_a_table_of_everything() -> None:
    around = Surroundings("last applied some time ago", "lease 7 held by somebody")
    assert_golden("views/status/all.txt", status_text(report(), around=around))


def test_what_nobody_tells_is_not_known_and_never_zero() -> None:
    text = status_text(report(UnknownWork("the gateway at http://llm cannot be reached")))
    assert_golden("views/status/unknown.txt", text)
    one = Work({"acme--quiet": UnknownWork("too late"), "acme--chat": WORK.of("acme--chat")})
    assert "note: requests of acme--quiet are not known: too late" in status_text(report(one))


def test_one_model_with_all_that_is_known() -> None:
    found = {entry.name: entry for entry in report().applications}
    told = [
        status_model(report(), found[name], around=Surroundings("last applied some time ago", "lease 7"))
        for name in ("acme--chat", "acme--quiet", "acme--broken", "acme--new", "a-neighbour")
    ]
    assert_golden("views/status/models.txt", "----\n".join(told))
    whole = report(UnknownWork("the gateway is old"))
    [chat] = [entry for entry in whole.applications if entry.name == "acme--chat"]
    assert "note: requests are not known: the gateway is old" in status_model(whole, chat)


def test_replicas_of_an_earlier_version_are_shown() -> None:
    stuck = LiveApplication(
        "acme--chat", ApplicationStatus.DEPLOY_FAILED, "bad", LIVE.applications[2].application, (), unlisted=("old1",)
    )
    found = observe(STATE, replace(LIVE, applications=(stuck,)), WORK, TIME)
    assert "old1" in status_text(found)
    [entry] = [entry for entry in found.applications if entry.name == "acme--chat"]
    assert "of an earlier version, serving on: old1" in status_model(found, entry)


def test_an_empty_cluster_says_what_is_wanted() -> None:
    found = observe(STATE, replace(LIVE, applications=()), WORK, TIME)
    assert "5 applications: 5 not there" in status_text(found)

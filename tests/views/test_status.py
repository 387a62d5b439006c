import json

from reconciler.state.application import Application
from reconciler.state.live import ApplicationStatus, LiveApplication, LiveDeployment, LiveState, Node, Replica
from reconciler.views.status_json import status_json
from reconciler.views.status_text import status_text
from tests.support.golden import assert_golden


def application(name: str, status: ApplicationStatus, owner: str | None, message: str = "") -> LiveApplication:
    replicas = (Replica("xyz2", "STARTING"), Replica("abc1", "RUNNING", "node-1"))
    args = {"owner": owner} if owner else {}
    return LiveApplication(
        name,
        status,
        message,
        Application({"name": name, "args": args}),
        (LiveDeployment(f"LLMServer:{name}", "UPDATING", "", 2, replicas, {}),),
    )


LIVE = LiveState(
    "2.60.0",
    (
        application("a-neighbour", ApplicationStatus.RUNNING, None),
        application("acme--broken", ApplicationStatus.DEPLOY_FAILED, "me", "cannot load\nout of \033 memory"),
        application("acme--chat", ApplicationStatus.DEPLOYING, "me"),
        LiveApplication("script", ApplicationStatus.RUNNING, "", None, (), declarative=False),
    ),
    (
        Node("0123456789abcdef", {"CPU": 8.0, "GPU": 2.0, "memory": 1e9, "node:10.0.0.1": 1.0}, {"GPU": 0.5}),
        Node("fedcba9876543210", {"CPU": 16.0, "accelerator_type:L4": 1.0}, {}),
    ),
    {},
)


def test_ours_come_first_and_others_are_marked() -> None:
    assert_golden("views/status/all.txt", status_text(LIVE, LIVE.applications, "me"))


def test_an_empty_cluster_says_so() -> None:
    assert status_text(LIVE, (), "me").startswith("no applications\n")


def test_json_names_the_owner_and_sorts_replicas() -> None:
    document = json.loads(status_json(LIVE, LIVE.applications, "local", "me"))
    assert [entry["ours"] for entry in document["applications"]] == [False, True, True, False]
    assert [entry["owner"] for entry in document["applications"]] == [None, "me", "me", None]
    replicas = document["applications"][0]["deployments"][0]["replicas"]
    assert [replica["replica_id"] for replica in replicas] == ["abc1", "xyz2"]
    assert document["nodes"][0]["total"]["CPU"] == 8

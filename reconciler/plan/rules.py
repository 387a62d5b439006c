"""The rules by which Ray Serve decides what a changed field does to running replicas, each with where Ray says so."""

from dataclasses import dataclass, replace

from reconciler.plan.change import Impact

PROVEN_RAY = "2.60"
"""The Ray version, major and minor, whose rules these are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a change of some fields does, and why."""

    impact: Impact
    reason: str
    """In Ray's terms, in a few words."""
    source: str
    """The function or class of Ray 2.60.0 that says so, as `file:line name`; empty where it is our own rule."""


_FILE = "ray/serve/_private"

CODE_VERSION = Rule(
    Impact.ROLLING_RESTART,
    "part of the application's code version",
    f"{_FILE}/deploy_utils.py:158 get_app_code_version",
)
DEPLOYMENT_ORDER = replace(CODE_VERSION, reason="the order of deployments is part of the code version")
SAME_CODE_VERSION = replace(CODE_VERSION, impact=Impact.IN_PLACE, reason="leaves the code version as it is")
ACTOR = Rule(
    Impact.ROLLING_RESTART,
    "decides how replica actors are placed and started",
    f"{_FILE}/version.py:70 DeploymentVersion.requires_actor_restart",
)
UNNOTICED = Rule(
    Impact.NONE,
    "stored, but taken over only together with another option of the deployment",
    f"{_FILE}/deployment_state.py:3745 DeploymentState.deploy",
)
REPLICA = Rule(
    Impact.RECONFIGURE,
    "handed to the running replicas",
    f"{_FILE}/version.py:84 DeploymentVersion.requires_actor_reconfigure",
)
REPLICA_METRICS = replace(REPLICA, source=f"{_FILE}/version.py:229 DeploymentVersion._get_serialized_options")
ROUTE_PREFIX = replace(REPLICA, source=f"{_FILE}/version.py:100 DeploymentVersion.compute_hashes")
AUTOSCALING_BLOCK = replace(
    REPLICA_METRICS, reason="brings or takes an autoscaling block, which the running replicas are told"
)
AUTOSCALER = replace(REPLICA_METRICS, impact=Impact.IN_PLACE, reason="only the autoscaler uses it")
CONTROLLER = Rule(Impact.IN_PLACE, "only the controller uses it", f"{_FILE}/config.py:125 DeploymentConfig")
EXTERNAL_SCALER = replace(CONTROLLER, source=f"{_FILE}/application_state.py:673 ApplicationState.apply_app_config")
UNPROVEN = Rule(Impact.ROLLING_RESTART, f"the rules are proven for Ray {PROVEN_RAY} only, so the worst is expected", "")


def unknown(key: str) -> Rule:
    """The rule of a key that Ray does not have."""
    return Rule(Impact.ROLLING_RESTART, f"`{key}` is no option of Ray Serve {PROVEN_RAY}, so the worst is expected", "")

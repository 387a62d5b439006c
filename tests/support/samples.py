"""Plans, reports and outcomes made by hand, for the tests of views."""

from dataclasses import replace
from typing import Any

from reconciler.diagnostics import Position
from reconciler.plan.change import Change, FieldChange, Impact
from reconciler.plan.cost import NEVER, Basis, Cost, Daily, DailyCost, LimitBasis, LoadTime, Span
from reconciler.plan.plan import Action, ActionKind, Hold, Plan, Rollout, Source, Wave
from reconciler.registry.choices import PlacementStrategy, RolloutStrategy
from reconciler.state.application import Application
from reconciler.state.capacity import Bundles, Capacity

ENGINE = "args.llm_config.engine_kwargs.max_num_seqs"
SURGE = Rollout(RolloutStrategy.SURGE, 100, False, "no downtime expected (surge fits)")


def field(path: str, before: Any, after: Any, impact: Impact, reason: str = "", **sides: bool) -> FieldChange:
    """A field that is set on both sides, unless `before_set` or `after_set` says otherwise."""
    return FieldChange(path, before, after, sides.get("before_set", True), sides.get("after_set", True), impact, reason)


HALF_A_CPU = Bundles(({"CPU": 0.5},))


def action(
    kind: ActionKind,
    name: str,
    impact: Impact,
    *fields: FieldChange,
    reason: str = "",
    rollout: Rollout | None = None,
    bundles: Bundles | None = HALF_A_CPU,
    replicas: tuple[int, int] = (1, 1),
    position: Position | None = None,
) -> Action:
    """An action on a model, or on the gateway when `name` is `gateway`."""
    application = Application({"name": name})
    change = Change(
        name,
        None if kind is ActionKind.CREATE else application,
        None if kind is ActionKind.DELETE else application,
        tuple(fields),
        impact,
    )
    model_id = None if name == "gateway" else name.replace("--", "/")
    return Action(kind, name, model_id, change, reason, rollout, bundles, *replicas, 1200.0, position)


def plan(*actions: Action, **overrides: Any) -> Plan:
    """A plan with all actions in one wave; keyword arguments replace any other field."""
    fields: dict[str, Any] = {
        "cluster": "local",
        "address": "http://127.0.0.1:8265",
        "ray_version": "2.60.0",
        "source": Source("0123456789abcdef0123456789abcdef01234567", "t" * 40, False, "d" * 64),
        "live_fingerprint": "f" * 64,
        "waves": (Wave(actions, {"applications": []}),) if actions else (),
        "holds": (),
        "unmanaged": (),
        "capacity": Capacity({}, {}, {}, {}),
    }
    return Plan(**{**fields, **overrides})


def first_plan() -> Plan:
    """Two models and the gateway on an empty cluster that somebody else uses too."""
    return plan(
        action(ActionKind.CREATE, "gateway", Impact.CREATE, bundles=Bundles(({"CPU": 1.0},)), replicas=(0, 1)),
        action(
            ActionKind.CREATE,
            "local--tiny-chat-a",
            Impact.CREATE,
            replicas=(0, 2),
            position=Position("registry/local--tiny-chat-a.yaml", 1, 1),
        ),
        action(ActionKind.CREATE, "acme--big", Impact.CREATE, replicas=(0, 0), bundles=big_bundles()),
        unmanaged=("neighbour",),
        capacity=Capacity(
            total={"CPU": 8.0, "memory": 2e9, "node:10.0.0.1": 1.0},
            used={"CPU": 0.1},
            needed={"CPU": 2.0},
            peak={"CPU": 2.1},
        ),
        source=Source("0123456789abcdef0123456789abcdef01234567", "t" * 40, True, "d" * 64),
        warnings=("Ray 2.61.0 is not the version these rules are proven for",),
    )


def big_bundles() -> Bundles:
    """A replica actor and two GPU workers."""
    worker = {"CPU": 8.0, "GPU": 1.0, "accelerator_type:L4": 0.001}
    return Bundles(({"CPU": 1.0}, worker, worker), PlacementStrategy.STRICT_PACK)


def mixed_plan() -> Plan:
    """Every kind of action in two waves, and one held."""
    in_place = action(
        ActionKind.UPDATE,
        "local--tiny-chat-a",
        Impact.IN_PLACE,
        field(
            "deployments[LLMServer:local--tiny-chat-a].autoscaling_config.max_replicas",
            1,
            2,
            Impact.IN_PLACE,
            "values of an existing autoscaling block are applied to the running replicas",
        ),
        replicas=(1, 2),
        position=Position("registry/local--tiny-chat-a.yaml", 8, 5),
    )
    reconfigured = action(
        ActionKind.UPDATE,
        "gateway",
        Impact.RECONFIGURE,
        field(
            "deployments[Gateway].user_config.models.local/tiny-chat-b.defaults.temperature",
            0.7,
            0.2,
            Impact.RECONFIGURE,
            "user_config is handed to running replicas",
        ),
    )
    restarted = action(
        ActionKind.UPDATE,
        "local--tiny-chat-b",
        Impact.ROLLING_RESTART,
        field("deployments[LLMServer:local--tiny-chat-b].max_ongoing_requests", 64, 32, Impact.IN_PLACE, "light"),
        field(ENGINE, 4, 8, Impact.ROLLING_RESTART, "args are part of the code version"),
        field("runtime_env.env_vars.HF_TOKEN", "(hidden)", "(hidden)", Impact.ROLLING_RESTART, "runtime_env as well"),
        field("runtime_env.pip", None, ["x" * 90], Impact.ROLLING_RESTART, "runtime_env too", before_set=False),
        rollout=SURGE,
    )
    deleted = action(ActionKind.DELETE, "acme--old", Impact.DELETE, reason="not in the registry", bundles=None)
    held = action(ActionKind.DELETE, "acme--kept", Impact.DELETE, bundles=None, replicas=(3, 0))
    return plan(
        waves=(Wave((deleted, in_place, reconfigured), {}), Wave((restarted,), {})),
        holds=(Hold(held, "protected", "`acme--kept` is protected", "plan with `--allow-protected`"),),
        capacity=Capacity({"CPU": 8.0, "GPU": 1.0}, {"CPU": 3.0}, {"CPU": 2.5}, {"CPU": 3.5}),
    )


def costly_plan() -> Plan:
    """Restarts that cost service, capacity or nothing, a create, and what the GPUs take a day."""
    measured, given, unknown = (
        LoadTime(95.0, Basis.MEASURED),
        LoadTime(600.0, Basis.GIVEN),
        LoadTime(None, Basis.UNKNOWN),
    )
    gap = Rollout(RolloutStrategy.RECREATE, 0, True, "downtime expected (all replicas stop before the new ones start)")
    fewer = Rollout(RolloutStrategy.ROLLING, 0, False, "less capacity, 2 of 5 replicas at a time (no room for a surge)")
    change = field(ENGINE, 4, 8, Impact.ROLLING_RESTART, "args are part of the code version")

    def restarted(name: str, rollout: Rollout, cost: Cost, count: int = 1) -> Action:
        found = action(
            ActionKind.UPDATE, name, Impact.ROLLING_RESTART, change, rollout=rollout, replicas=(count, count)
        )
        return replace(found, cost=cost, bundles=big_bundles())

    created = action(ActionKind.CREATE, "acme--new", Impact.CREATE, replicas=(0, 1), bundles=big_bundles())
    return plan(
        restarted("acme--a", gap, Cost(measured, Span(95, 215), Span(95, 215), NEVER, 0)),
        restarted("acme--b", fewer, Cost(unknown, None, NEVER, None, 3), 5),
        restarted("acme--c", SURGE, Cost(unknown, None, NEVER, NEVER, 1)),
        replace(
            created,
            cost=Cost(given, Span(600, 600), NEVER, NEVER, 0),
            timeout_s=2400.0,
            timeout_basis=LimitBasis.LOAD_TIME,
        ),
        capacity=Capacity({"CPU": 80.0, "GPU": 16.0}, {"GPU": 12.0}, {"GPU": 14.0}, {"GPU": 14.0}),
        daily_cost=DailyCost(
            Daily({"H100": 48.0, "L4": 240.0}, {"H100": 48.0, "L4": 480.0}, 313.44, 507.84),
            Daily({"H100": 48.0, "L4": 288.0}, {"H100": 48.0, "L4": 528.0}, 352.32, 546.72),
            "EUR",
            ("H100",),
        ),
    )

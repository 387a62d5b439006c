"""The form of a cluster file, `registry/clusters/<name>.yaml`: one Ray cluster to reconcile."""

from pydantic import Field, model_validator

from reconciler.registry.field_types import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Section,
    StrictBool,
)


class TokenSource(Section):
    """Where the command line finds a bearer token. The token itself is never written."""

    env: str | None = Field(None, description="Name of an environment variable that holds the token.")
    file: str | None = Field(None, description="Path of a file that holds the token.")

    @model_validator(mode="after")
    def _exactly_one(self) -> "TokenSource":
        if (self.env is None) == (self.file is None):
            raise ValueError("give either `env` or `file`")
        return self


class Dashboard(Section):
    """The Ray dashboard, whose REST API is the only way in."""

    address: str = Field(pattern=r"^https?://", description="For example https://ray.example.com:8265")
    token: TokenSource | None = None
    ca_file: str | None = Field(None, description="PEM file of authorities to trust instead of the system's.")


class GatewayKey(Section):
    """A client's leave to ask models. `reconcile key` makes one."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=63, description="Whose it is; metrics count by it."
    )
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="The digest of the key. The key itself is never written."
    )
    models: list[str] = Field(
        default_factory=lambda: ["*"],
        min_length=1,
        description="Ids of the models it may ask for, or patterns with `*` and `?`. Others do not exist for it.",
    )


class GatewayLimits(Section):
    """How long the gateway waits, and how much it takes."""

    body_mib: PositiveInt = Field(64, description="MiB of the longest request; a longer one is refused with 413.")
    start_s: PositiveFloat = Field(
        300.0, description="Seconds a request waits for a model that starts because of it, scaled to zero; then 503."
    )
    queue_s: PositiveFloat = Field(300.0, description="Seconds a request waits while all replicas are busy; then 503.")
    answer_s: PositiveFloat = Field(
        600.0,
        description="Seconds a replica may take until its answer begins, without streaming until it is done; then 504.",
    )
    silence_s: PositiveFloat = Field(300.0, description="Seconds an answer that has begun may pause; then it is ended.")


class Gateway(Section):
    """The OpenAI-compatible endpoint in front of all models of the cluster."""

    address: str | None = Field(
        None, pattern=r"^https?://", description="Where clients reach it; the smoke test asks there."
    )
    token: TokenSource | None = Field(
        None, description="Where the command line finds its own key, one for all models; needed where there are `keys`."
    )
    replicas: PositiveInt = 1
    num_cpus: NonNegativeFloat = Field(1.0, description="Logical CPUs of each gateway replica.")
    keys: list[GatewayKey] = Field(
        default_factory=list, description="Who may ask. Without any, whoever reaches the gateway may. Changed in place."
    )
    limits: GatewayLimits = Field(default_factory=GatewayLimits, description="Changed in place.")

    @model_validator(mode="after")
    def _keys_are_usable(self) -> "Gateway":
        for what in ("name", "sha256"):
            values = [getattr(key, what) for key in self.keys]
            twice = next((value for value in values if values.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"two keys have the same `{what}`, `{twice}`")
        if self.keys and self.token is None:
            raise ValueError(
                "give `token` beside `keys`: the command line asks the gateway too, and needs a key itself"
            )
        return self


class DriftIgnore(Section):
    """Drift that is left alone, and why."""

    application: str = Field(
        description="Name of the application, or a pattern with `*` and `?`; empty for the cluster itself."
    )
    path: str | None = Field(
        None,
        description="Field as the drift report shows it in JSON, the kind of a finding without fields (`health`, "
        "`scale`, ...), or a pattern with `*` and `?`; else all of the application's drift.",
    )
    reason: str = Field(min_length=1, description="Why it may differ, for whoever reads the report later.")
    expires: str | None = Field(
        None,
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        description='The last day on which it holds, in quotes: `"2030-12-31"`.',
    )


class Drift(Section):
    """What `reconcile drift` makes of differences."""

    ignore: list[DriftIgnore] = Field(default_factory=list, description="Differences that are no drift.")


class Prices(Section):
    """What GPUs cost, so that a plan can say what a change costs."""

    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, for example `EUR`.")
    gpu_hour: dict[str, NonNegativeFloat] = Field(
        description="The price of one GPU for one hour by accelerator type, for example `L4: 0.81`; under `GPU` for "
        "those whose type neither the model nor the nodes say."
    )


class NodeType(Section):
    """A kind of node that the cluster's autoscaler adds: an entry of `available_node_types` of Ray's cluster launcher,
    or a worker group of KubeRay (`groupName`, `minReplicas`, `maxReplicas`)."""

    resources: dict[str, PositiveFloat] = Field(
        json_schema_extra={"minProperties": 1},
        description="What Ray counts on each: `{CPU: 12, GPU: 1, accelerator_type:L4: 1}`.",
    )
    min_workers: NonNegativeInt = Field(0, description="Nodes always there.")
    max_workers: PositiveInt = Field(description="The most nodes of this type.")

    @model_validator(mode="after")
    def _bounds(self) -> "NodeType":
        if not self.resources:
            raise ValueError("say in `resources` what each node has")
        if self.min_workers > self.max_workers:
            raise ValueError(f"`min_workers` is {self.min_workers}, more than `max_workers`, {self.max_workers}")
        return self


class Cluster(Section):
    """One Ray cluster to reconcile."""

    owner: str = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        max_length=63,
        description="Names this registry in the applications it owns. Two registries that share a Ray cluster need "
        "different owners: what another owner deployed is listed and never changed.",
    )
    default: StrictBool = Field(
        False, description="Serve the models that name no cluster; the commands' default target."
    )
    local: StrictBool = Field(
        False, description="The embedded cluster of `reconcile local up`, instead of `dashboard`."
    )
    dashboard: Dashboard | None = None
    gateway: Gateway = Field(default_factory=Gateway)
    drift: Drift = Field(default_factory=Drift)
    runtime_packages: dict[str, str] | None = Field(
        None,
        description="URIs of the packages `engine`, `gateway`, `llama_cpp` and `saas`, or `image` where the cluster's "
        "image has them installed; else those are uploaded that a model of the cluster needs.",
    )
    prices: Prices | None = None
    node_types: dict[str, NodeType] = Field(
        default_factory=dict,
        description="The kinds of nodes that the cluster's autoscaler adds and removes, by name. With them a plan "
        "counts on nodes that are not there yet, and refuses what even the most of them cannot hold.",
    )
    max_parallel_starts: PositiveInt = Field(
        50,
        description="Replicas that one apply lets start at a time. A thousand engines that load their weights at the "
        "same moment are too much for most stores. One model with more replicas starts alone.",
    )

    @model_validator(mode="after")
    def _one_address(self) -> "Cluster":
        if self.local == (self.dashboard is not None):
            raise ValueError("give either `dashboard` or `local: true`")
        if not self.local and self.gateway.address is None:
            raise ValueError("give `gateway.address`: where clients reach the gateway of this cluster")
        return self

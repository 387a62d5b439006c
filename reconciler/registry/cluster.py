"""The form of a cluster file, `registry/clusters/<name>.yaml`: one Ray cluster to reconcile."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reconciler.registry.spec import NonNegativeFloat, PositiveInt, StrictBool


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenSource(_Section):
    """Where the command line finds the bearer token for the Ray dashboard. The token itself is never written."""

    env: str | None = Field(None, description="Name of an environment variable that holds the token.")
    file: str | None = Field(None, description="Path of a file that holds the token.")

    @model_validator(mode="after")
    def _exactly_one(self) -> "TokenSource":
        if (self.env is None) == (self.file is None):
            raise ValueError("give either `env` or `file`")
        return self


class Dashboard(_Section):
    """The Ray dashboard, whose REST API is the only way in."""

    address: str = Field(pattern=r"^https?://", description="For example https://ray.example.com:8265")
    token: TokenSource | None = None
    ca_file: str | None = Field(None, description="PEM file of authorities to trust instead of the system's.")


class Gateway(_Section):
    """The OpenAI-compatible endpoint in front of all models of the cluster."""

    address: str | None = Field(
        None, pattern=r"^https?://", description="Where clients reach it; the smoke test asks there."
    )
    replicas: PositiveInt = 1
    num_cpus: NonNegativeFloat = Field(1.0, description="Logical CPUs of each gateway replica.")


class Cluster(_Section):
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
    runtime_packages: dict[str, str] | None = Field(
        None,
        description="URIs of the engine and gateway packages, or `image` where the cluster's image has them installed; "
        "else they are uploaded.",
    )

    @model_validator(mode="after")
    def _one_address(self) -> "Cluster":
        if self.local == (self.dashboard is not None):
            raise ValueError("give either `dashboard` or `local: true`")
        if not self.local and self.gateway.address is None:
            raise ValueError("give `gateway.address`: where clients reach the gateway of this cluster")
        return self

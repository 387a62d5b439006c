"""The canonical form of a model file: three sections, `deployment_config`, `engine_config`, `scaling_config`.

The sections and most names are those of the RayLLM model registry; where Ray Serve 2.60 renamed an option the modern
name is canonical. Numbers are strict: a quoted number or a float where an integer is wanted is an error, because Ray
hashes `args` byte for byte and a changed spelling would restart replicas.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

StrictBool = Annotated[bool, Field(strict=True)]
StrictInt = Annotated[int, Field(strict=True)]
NonNegativeInt = Annotated[int, Field(strict=True, ge=0)]
PositiveInt = Annotated[int, Field(strict=True, ge=1)]
NonNegativeFloat = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class AutoscalingConfig(_Section):
    """Replica counts and how Ray Serve moves between them (`ray.serve.config.AutoscalingConfig` 2.60).

    `min_replicas` equal to `max_replicas` is a fixed size. Every value given here is changed in place.
    """

    min_replicas: NonNegativeInt = Field(1, description="Replicas always there; 0 lets the model scale to zero.")
    initial_replicas: NonNegativeInt | None = Field(
        None, description="Replicas at first deployment. Any later config change resets the count to it: avoid it."
    )
    max_replicas: PositiveInt = Field(1, description="The most replicas the autoscaler may start.")
    target_ongoing_requests: PositiveFloat = Field(
        2.0, description="Requests in flight per replica to aim at; about 40 % of max_ongoing_requests."
    )
    look_back_period_s: PositiveFloat | None = Field(None, description="Seconds over which requests are averaged.")
    upscale_delay_s: NonNegativeFloat | None = Field(None, description="Seconds of load before replicas are added.")
    downscale_delay_s: NonNegativeFloat | None = Field(None, description="Seconds of calm before replicas are removed.")
    downscale_to_zero_delay_s: NonNegativeFloat | None = Field(
        None, description="Seconds of calm before the last replica is removed, when min_replicas is 0."
    )
    upscaling_factor: PositiveFloat | None = Field(None, description="Damps (<1) or amplifies (>1) each step up.")
    downscaling_factor: PositiveFloat | None = Field(None, description="Damps (<1) or amplifies (>1) each step down.")
    aggregation_function: Literal["mean", "max", "min"] | None = Field(
        None, description="How the metrics of the look-back period are aggregated."
    )


class RayActorOptions(_Section):
    """What the replica actor itself needs, beside its workers: it routes and tokenises, the workers hold the model."""

    num_cpus: NonNegativeFloat = Field(1.0, description="Logical CPUs of the replica actor.")
    num_gpus: NonNegativeFloat = Field(0.0, description="Logical GPUs of the replica actor; workers have their own.")
    resources: dict[str, PositiveFloat] = Field(default_factory=dict, description="Custom Ray resources.")


class DeploymentConfig(_Section):
    """How Ray Serve runs the model. Everything but `ray_actor_options` changes in place."""

    autoscaling_config: AutoscalingConfig = Field(default_factory=AutoscalingConfig)
    max_ongoing_requests: PositiveInt = Field(64, description="Requests a replica takes at a time; others queue.")
    max_queued_requests: StrictInt = Field(-1, ge=-1, description="Requests the gateway may queue; -1 is no limit.")
    health_check_period_s: PositiveFloat = Field(10.0, description="Seconds between health checks of a replica.")
    health_check_timeout_s: PositiveFloat = Field(30.0, description="Seconds after which a health check has failed.")
    graceful_shutdown_wait_loop_s: NonNegativeFloat = Field(2.0, description="Seconds between checks while draining.")
    graceful_shutdown_timeout_s: NonNegativeFloat = Field(120.0, description="Seconds a replica may take to drain.")
    ray_actor_options: RayActorOptions = Field(default_factory=RayActorOptions)


class EngineType(StrEnum):
    """What runs the model. Both are vLLM through `ray.serve.llm`; an embedding model uses its pooling runner."""

    VLLM = "VLLMEngine"
    EMBEDDING = "EmbeddingEngine"


class PromptFormat(_Section):
    """How a conversation becomes a prompt, when the tokenizer's own chat template is not to be used.

    Each part is a Python format string around `{instruction}`; `user` may also hold `{system}` (RayLLM v0.3 to v0.5,
    `rayllm/common/models.py`).
    """

    system: str
    assistant: str
    trailing_assistant: str = Field(description="Opens the answer: the model generates from here.")
    user: str
    default_system_message: str = ""
    system_in_user: StrictBool = Field(False, description="Put the system message inside the first user message.")
    add_system_tags_even_if_message_is_empty: StrictBool = False
    strip_whitespace: StrictBool = Field(True, description="Strip every message before it is formatted.")
    single_turn: StrictBool = Field(
        False, description="The prompt is the last user message alone, as in Aviary 0.0.1 to 0.1.0."
    )


class Generation(_Section):
    """What a request gets that does not say otherwise. Applied by the gateway, so every change is in place."""

    generate_kwargs: dict[str, Any] = Field(
        default_factory=dict,
        description="Default request fields such as temperature, top_p, max_tokens; a request's own value wins.",
    )
    stopping_sequences: list[str | StrictInt] = Field(
        default_factory=list, description="Stop strings and stop token ids, added to those of each request."
    )
    prompt_format: PromptFormat | None = Field(
        None, description="Overrides the tokenizer's chat template. Part of the engine: a change restarts the replicas."
    )


class MirrorFile(_Section):
    """One more file to fetch beside the weights."""

    bucket_uri: str
    destination_path: str


class Mirror(_Section):
    """A bucket to load the weights from instead of the Hugging Face Hub."""

    bucket_uri: str
    extra_files: list[MirrorFile] = Field(default_factory=list)


class RuntimeEnv(_Section):
    """The part of a Ray runtime environment that a model may set. Values are strings: Ray refuses anything else.

    `${env:NAME}` stands for a variable of the cluster's nodes and is resolved there.
    """

    env_vars: dict[str, str] = Field(default_factory=dict)
    pip: list[str] = Field(default_factory=list)


class Memory(_Section):
    """How large the model is, for a check whether it fits its GPUs. Nothing that runs reads it."""

    weights_gb: PositiveFloat = Field(description="The weights once loaded, in units of 10^9 bytes.")
    kv_bytes_per_token: NonNegativeInt = Field(
        0, description="KV cache of one token in all layers and on all workers: 2 x layers x KV heads x head size x 2."
    )


class EngineConfig(_Section):
    """What is served and with which engine arguments. Most changes here restart the model's replicas."""

    type: EngineType = EngineType.VLLM
    model_id: str = Field(min_length=1, description="The id clients ask for: `organization/model`.")
    hf_model_id: str | None = Field(None, description="Hugging Face id or absolute path on every node; else model_id.")
    tokenizer_id: str | None = Field(None, description="Tokenizer to use instead of the model's own.")
    model_description: str | None = None
    model_url: str | None = None
    aliases: list[str] = Field(default_factory=list, description="Other ids that reach this model. Changed in place.")
    max_total_tokens: PositiveInt | None = Field(
        None,
        description="Most tokens of a request, prompt and answer together (vLLM's max_model_len). "
        "Default 2048, or 512 for an embedding model.",
    )
    full_context: StrictBool = Field(
        False, description="As many tokens as the model's own config allows, in place of max_total_tokens."
    )
    engine_kwargs: dict[str, Any] = Field(default_factory=dict, description="vLLM engine arguments, checked by name.")
    runtime_env: RuntimeEnv = Field(default_factory=RuntimeEnv)
    s3_mirror_config: Mirror | None = None
    gcs_mirror_config: Mirror | None = None
    generation: Generation = Field(default_factory=Generation)
    memory: Memory | None = Field(None, description="Sizes that cannot be read from files on this machine.")


DEFAULT_CONTEXT = {EngineType.VLLM: 2048, EngineType.EMBEDDING: 512}
"""`max_total_tokens` of a file that gives none: the defaults of RayLLM's `VLLMEngineConfig` and embedding engine."""


def total_tokens(engine: EngineConfig) -> int | None:
    """The most tokens of a request, prompt and answer together; None where the model's own config says it."""
    return None if engine.full_context else engine.max_total_tokens or DEFAULT_CONTEXT[engine.type]


class PlacementStrategy(StrEnum):
    """How Ray places the bundles of one replica on nodes."""

    PACK = "PACK"
    STRICT_PACK = "STRICT_PACK"
    SPREAD = "SPREAD"
    STRICT_SPREAD = "STRICT_SPREAD"


class ScalingConfig(_Section):
    """The resources of one replica: `num_workers` workers beside the replica actor."""

    num_workers: PositiveInt = Field(1, description="Workers of a replica: tensor parallel × pipeline parallel size.")
    num_gpus_per_worker: Annotated[float, Field(strict=True, ge=0, le=1)] = Field(
        1.0, description="0: the model runs on CPUs."
    )
    num_cpus_per_worker: NonNegativeFloat = 1.0
    placement_strategy: PlacementStrategy = PlacementStrategy.PACK
    resources_per_worker: dict[str, PositiveFloat] = Field(
        default_factory=dict, description="Custom Ray resources, such as `accelerator_type:L4: 0.001`."
    )
    bundles: list[dict[str, PositiveFloat]] | None = Field(
        None,
        description="The whole placement group of a replica, in place of the resources of actor and workers. "
        "The actor is in the first bundle.",
    )


class RolloutStrategy(StrEnum):
    """How running replicas are replaced when a change restarts them."""

    SURGE = "surge"
    ROLLING = "rolling"
    RECREATE = "recreate"


class Rollout(_Section):
    """How a change to this model is carried out."""

    strategy: RolloutStrategy = Field(
        RolloutStrategy.SURGE,
        description="What a restart may cost. New replicas start beside the old ones wherever they fit; where they do "
        "not: surge holds the change, rolling replaces a few replicas at a time with less capacity, recreate stops all "
        "old replicas first.",
    )
    protect: StrictBool = Field(False, description="Refuse any plan that would delete or restart this model.")
    timeout_s: PositiveFloat = Field(1200.0, description="Seconds a new version may take until it serves.")


class Waiver(_Section):
    """A rule that this file may break, and why."""

    rule: str = Field(description="The name in brackets behind `warning`, such as `served-nowhere`.")
    reason: str = Field(min_length=1, description="Why it is right here, for whoever reads the file later.")
    expires: str | None = Field(
        None,
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        description='The last day on which it holds, in quotes: `"2030-12-31"`.',
    )


class ModelSpec(_Section):
    """One served model, as a person wrote it, in canonical form. It knows no cluster's state."""

    enabled: StrictBool = Field(True, description="false: checked but not served; a model that was served is deleted.")
    clusters: list[str] | None = Field(None, description="Clusters that serve it, by file name; else the default one.")
    rollout: Rollout = Field(default_factory=Rollout)
    waive: list[Waiver] = Field(
        default_factory=list, description="Warnings, policies and memory checks that this file may break, with reasons."
    )
    deployment_config: DeploymentConfig = Field(default_factory=DeploymentConfig)
    engine_config: EngineConfig
    scaling_config: ScalingConfig = Field(default_factory=ScalingConfig)

    @property
    def model_id(self) -> str:
        """The id clients ask for."""
        return self.engine_config.model_id

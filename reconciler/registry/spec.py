"""The canonical form of a model file: three sections, `deployment_config`, `engine_config`, `scaling_config`.

The sections and most names are those of the RayLLM model registry; where Ray Serve 2.60 renamed an option the modern
name is canonical. Numbers are strict: a quoted number or a float where an integer is wanted is an error, because Ray
hashes `args` byte for byte and a changed spelling would restart replicas.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from reconciler.registry.choices import PlacementStrategy, RolloutStrategy
from reconciler.registry.engine_spec import EngineConfig
from reconciler.registry.field_types import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Section,
    StrictBool,
    StrictInt,
)


class AutoscalingConfig(Section):
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


class RayActorOptions(Section):
    """What the replica actor itself needs, beside its workers: it routes and tokenises, the workers hold the model."""

    num_cpus: NonNegativeFloat | None = Field(
        None,
        description="Logical CPUs of the replica actor. Default 1; 0.01 for a SaaSEngine, which waits for others, and "
        "0 for a LlamaCppEngine, whose workers have theirs.",
    )
    num_gpus: NonNegativeFloat = Field(0.0, description="Logical GPUs of the replica actor; workers have their own.")
    resources: dict[str, PositiveFloat] = Field(default_factory=dict, description="Custom Ray resources.")


class DeploymentConfig(Section):
    """How Ray Serve runs the model. Everything but `ray_actor_options` changes in place."""

    autoscaling_config: AutoscalingConfig = Field(default_factory=AutoscalingConfig)
    max_ongoing_requests: PositiveInt = Field(64, description="Requests a replica takes at a time; others queue.")
    max_queued_requests: StrictInt = Field(-1, ge=-1, description="Requests the gateway may queue; -1 is no limit.")
    health_check_period_s: PositiveFloat = Field(10.0, description="Seconds between health checks of a replica.")
    health_check_timeout_s: PositiveFloat = Field(30.0, description="Seconds after which a health check has failed.")
    graceful_shutdown_wait_loop_s: NonNegativeFloat = Field(2.0, description="Seconds between checks while draining.")
    graceful_shutdown_timeout_s: NonNegativeFloat = Field(120.0, description="Seconds a replica may take to drain.")
    ray_actor_options: RayActorOptions = Field(default_factory=RayActorOptions)


class Canary(Section):
    """A model that answers some of this model's requests, to see whether it may take them all."""

    model: str = Field(min_length=1, description="Its id. It has a file of its own and is served beside this model.")
    percent: Annotated[float, Field(strict=True, gt=0, lt=100, allow_inf_nan=False)] = Field(
        description="How many of a hundred requests it answers."
    )


class Traffic(Section):
    """Who answers the requests for this model beside itself. Applied by the gateway, so every change is in place."""

    canary: Canary | None = None
    fallback: str | None = Field(
        None,
        min_length=1,
        description="Id of the model that answers when this one cannot: no replica, no answer in time, a failure. Not "
        "once an answer has begun, and not what this model refuses.",
    )


class ScalingConfig(Section):
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


PERCENT = r"^([1-9][0-9]?|100)%$"
"""A percentage as people write it, from `1%` to `100%`."""


class Rollout(Section):
    """How a change to this model is carried out."""

    strategy: RolloutStrategy = Field(
        RolloutStrategy.SURGE,
        description="What a restart may cost. New replicas start beside the old ones wherever they fit; where they do "
        "not: surge holds the change, rolling replaces a few replicas at a time with less capacity, recreate stops all "
        "old replicas first.",
    )
    max_unavailable: PositiveInt | Annotated[str, Field(pattern=PERCENT)] | None = Field(
        None,
        description="With `rolling`, how many replicas may be out of service at a time: a count, or a percentage such "
        'as `"25%"`, rounded down. One at least, never all while there are several; a fifth where it is not given. The '
        "only replica of a model is stopped before its successor serves only where a count is given here.",
    )
    protect: StrictBool = Field(False, description="Refuse any plan that would delete or restart this model.")
    load_time_s: PositiveFloat | None = Field(
        None, description="Seconds a new replica takes until it serves, for as long as none has been measured."
    )
    timeout_s: PositiveFloat | None = Field(
        None,
        description="Seconds a new version may take until it serves; else four times its load time, and 20 minutes "
        "at least, for each batch of replicas.",
    )

    @field_validator("max_unavailable", mode="before")
    @classmethod
    def _count_or_percentage(cls, value: Any) -> Any:
        if isinstance(value, str) and not re.match(PERCENT, value):
            raise ValueError('give a number of replicas, or a percentage such as `"25%"`')
        return value


class Waiver(Section):
    """A rule that this file may break, and why."""

    rule: str = Field(description="The name in brackets behind `warning`, such as `served-nowhere`.")
    reason: str = Field(min_length=1, description="Why it is right here, for whoever reads the file later.")
    expires: str | None = Field(
        None,
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        description='The last day on which it holds, in quotes: `"2030-12-31"`.',
    )


class ModelSpec(Section):
    """One served model, as a person wrote it, in canonical form. It knows no cluster's state."""

    enabled: StrictBool = Field(True, description="false: checked but not served; a model that was served is deleted.")
    clusters: list[str] | None = Field(None, description="Clusters that serve it, by file name; else the default one.")
    rollout: Rollout = Field(default_factory=Rollout)
    traffic: Traffic = Field(default_factory=Traffic)
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

"""Hypothesis strategies for JSON, Serve configs, nodes and models."""

from typing import Any

from hypothesis import strategies as st

from reconciler.registry.choices import PlacementStrategy
from reconciler.registry.registry import ModelEntry
from reconciler.state.capacity import Bundles
from tests.support import states

keys = st.sampled_from(["a", "b", "num_gpus", "x.y", "org/chat", "env_vars"])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.0, 1.0, 0.5, 2.0]),
    st.sampled_from(["", "1", "text"]),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
mappings = st.dictionaries(keys, json_values, max_size=3)

_options = st.fixed_dictionaries(
    {},
    optional={
        "autoscaling_config": st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {"min_replicas": st.integers(0, 2)},
                optional={"policy": mappings, "look_back_period_s": st.sampled_from([60, 60.0, 20.0])},
            ),
        ),
        "max_ongoing_requests": st.integers(1, 3),
        "user_config": mappings,
        "request_router_config": st.one_of(st.none(), mappings),
        "deployment_actors": st.one_of(st.none(), st.lists(mappings, max_size=2)),
        "ray_actor_options": st.fixed_dictionaries({}, optional={"num_cpus": st.sampled_from([0, 1, 1.0])}),
        "max_surge_percent": st.sampled_from([0, 50, 100]),
    },
)


@st.composite
def configs(draw: st.DrawFn, name: str = "app") -> dict[str, Any]:
    """An application's config as Ray Serve would take it."""
    deployments = draw(st.dictionaries(st.sampled_from(["One", "Two"]), _options, max_size=2))
    return {
        "name": name,
        "import_path": draw(st.sampled_from(["one.app:build", "two.app:build"])),
        "deployments": [{"name": deployment, **options} for deployment, options in deployments.items()],
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "args": mappings,
                    "runtime_env": st.fixed_dictionaries(
                        {}, optional={"env_vars": st.dictionaries(keys, st.sampled_from(["s3cret", "t0ken"]))}
                    ),
                    "route_prefix": st.sampled_from([None, "/", "/app"]),
                    "autoscaling_policy": st.one_of(st.none(), mappings),
                },
            )
        ),
    }


resources = st.dictionaries(
    st.sampled_from(["GPU", "CPU", "accelerator_type:L4"]),
    st.sampled_from([0.001, 0.1, 0.5, 1.0, 2.0, 4.0]),
    max_size=3,
)
bundles = st.builds(
    Bundles, st.lists(resources, min_size=1, max_size=4).map(tuple), st.sampled_from(list(PlacementStrategy))
)
nodes = st.lists(
    st.dictionaries(
        st.sampled_from(["GPU", "CPU", "accelerator_type:L4"]), st.sampled_from([0.3, 1.0, 4.0, 8.0]), max_size=3
    ),
    max_size=4,
)


def adapters(model_id: str) -> st.SearchStrategy[dict[str, Any]]:
    """A section `lora_config`."""
    generation = {"generate_kwargs": {"top_k": 1}, "stopping_sequences": ["END", 7, [1, "x"]]}
    one = [
        {"id": "fr", "source": "/lora/fr"},
        {"id": "fr", "source": "s3://lora/fr", "description": "French", "aliases": [f"{model_id}-fr"]},
        {"id": "team:sql", "source": "org/sql", "revision": "a" * 40, "generation": generation},
        {"id": "de", "source": "/lora/de", "generation": {"stopping_sequences": []}},
    ]
    return st.fixed_dictionaries(
        {},
        optional={
            "dynamic_lora_loading_path": st.just("s3://lora/all"),
            "max_num_adapters_per_replica": st.integers(1, 3),
            "adapters": st.lists(st.sampled_from(one), max_size=2, unique_by=lambda each: str(each["id"])),
        },
    )


@st.composite
def models(draw: st.DrawFn, model_id: str) -> ModelEntry:
    """A model that a person could have written."""
    low = draw(st.integers(0, 3))
    high = draw(st.integers(max(low, 1), 4))
    return states.model(
        model_id,
        engine={
            "engine_kwargs": {"max_num_seqs": draw(st.integers(1, 2))},
            "generation": {"generate_kwargs": draw(st.sampled_from([{}, {"temperature": 0.5}, {"top_k": 1}]))},
            "aliases": draw(st.sampled_from([[], [f"{model_id}-latest"]])),
            "lora_config": draw(st.one_of(st.none(), adapters(model_id))),
        },
        deployment={
            "autoscaling_config": {"min_replicas": low, "max_replicas": high},
            "max_ongoing_requests": draw(st.integers(1, 2)),
        },
        scaling={"num_workers": draw(st.integers(1, 2))},
        rollout={"strategy": draw(st.sampled_from(["surge", "rolling", "recreate"])), "protect": draw(st.booleans())},
    )


@st.composite
def registries(draw: st.DrawFn) -> tuple[ModelEntry, ...]:
    """Some models with distinct ids, in any order."""
    ids = draw(st.lists(st.sampled_from(["org/a", "org/b", "org/c.1", "lab/d"]), unique=True, max_size=4))
    return tuple(draw(models(model_id)) for model_id in ids)

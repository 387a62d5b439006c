import pytest

from reconciler.registry.dialects.accelerators import accelerator_resource, accelerator_type
from reconciler.registry.tables import ray_table


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("accelerator_type_a10", "accelerator_type:A10G"),
        ("accelerator_type_a100", "accelerator_type:A100"),
        ("accelerator_type_a100_40g", "accelerator_type:A100-40G"),
        ("accelerator_type_a100_80g", "accelerator_type:A100-80G"),
        ("accelerator_type_a100_80g_aws", "accelerator_type:A100-80G"),
        ("accelerator_type_l4", "accelerator_type:L4"),
        ("accelerator_type_t4_16g_aws", "accelerator_type:T4"),
        ("accelerator_type_v100", "accelerator_type:V100"),
        ("accelerator_type:NVIDIA_TESLA_A10G", "accelerator_type:A10G"),
        ("accelerator_type:NVIDIA_A100_40G", "accelerator_type:A100-40G"),
        ("accelerator_type:NVIDIA_A100_80G", "accelerator_type:A100-80G"),
        ("accelerator_type:NVIDIA_L4", "accelerator_type:L4"),
        ("accelerator_type:A100-80G", "accelerator_type:A100-80G"),
        ("accelerator_type:T4", "accelerator_type:T4"),
        ("accelerator_type:A10", "accelerator_type:A10"),
        ("accelerator_type:unheard-of", "accelerator_type:unheard-of"),
        ("disk", "disk"),
        ("accelerator_type_cpu", None),
    ],
)
def test_every_spelling_of_a_resource_has_one_name(old: str, new: str | None) -> None:
    assert accelerator_resource(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [("A10", "A10G"), ("A10G", "A10G"), ("A100_40G", "A100-40G"), ("L40S", "L40S"), ("NVIDIA_L4", "L4"), ("B17", None)],
)
def test_a_bare_name_is_that_of_ray(old: str, new: str | None) -> None:
    assert accelerator_type(old) == new


def test_the_names_of_ray_stay_what_they_are() -> None:
    assert all(accelerator_type(name) == name for name in ray_table().accelerator_types)

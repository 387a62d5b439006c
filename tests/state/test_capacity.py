from reconciler.state.capacity import Bundles, add_up, times


def test_the_total_of_bundles_adds_up_each_resource() -> None:
    assert Bundles(({"CPU": 1.0, "GPU": 1.0}, {"GPU": 1.0})).total == {"CPU": 1.0, "GPU": 2.0}


def test_sums_keep_rays_resolution() -> None:
    assert add_up([{"GPU": 0.1}, {"GPU": 0.2}]) == {"GPU": 0.3}


def test_replicas_multiply() -> None:
    assert times({"GPU": 0.1}, 3) == {"GPU": 0.3}

from reconciler.state.application import Application


def test_the_owner_is_the_text_in_args() -> None:
    assert Application({"name": "a", "args": {"owner": "team"}}).owner == "team"


def test_without_a_textual_owner_it_is_nobody_of_ours() -> None:
    for args in ({}, {"owner": 1}, "text", None):
        assert Application({"name": "a", "args": args}).owner is None


def test_deployments_are_found_by_name_also_when_there_are_none() -> None:
    assert Application({"name": "a", "deployments": [{"name": "D", "x": 1}]}).deployments["D"] == {"name": "D", "x": 1}
    assert Application({"name": "a", "deployments": None}).deployments == {}


def test_the_fingerprint_does_not_depend_on_how_numbers_are_written() -> None:
    assert Application({"name": "a", "x": 1}).fingerprint == Application({"x": 1.0, "name": "a"}).fingerprint

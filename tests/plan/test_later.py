from typing import Any

from reconciler.plan.later import Later


def test_it_is_made_once_and_only_when_somebody_looks() -> None:
    made: list[str] = []

    def make() -> dict[str, Any]:
        made.append("once")
        return {"a": 1}

    later = Later(make)
    assert not made
    assert later == {"a": 1}
    assert (later["a"], list(later), len(later), repr(later)) == (1, ["a"], 1, "{'a': 1}")
    assert made == ["once"]

from reconciler.serve import traffic as reader
from reconciler.serve.http_client import USER_AGENT
from runtime.gateway import traffic
from runtime.gateway.traffic import Traffic, combined

CLIENT = {"user-agent": "OpenAI/Python 2.1.0"}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_both_sides_speak_of_the_same_place_and_of_the_same_caller() -> None:
    assert traffic.PATH == reader.PATH
    assert USER_AGENT.startswith(traffic.OURS)


def test_requests_are_counted_by_model() -> None:
    clock = Clock()
    counted = Traffic(clock)
    clock.now = 110
    counted.count("org/a", CLIENT)
    counted.count("org/a", {})
    clock.now = 112.5
    counted.count("org/b", CLIENT)
    clock.now = 113
    assert counted.report() == {
        "watched_s": 13,
        "models": {"org/a": {"requests": 2, "last_s": 3}, "org/b": {"requests": 1, "last_s": 0.5}},
    }


def test_our_own_questions_do_not_count() -> None:
    counted = Traffic()
    counted.count("org/a", {"user-agent": USER_AGENT})
    assert counted.report()["models"] == {}


def test_replicas_together_know_as_much_as_the_youngest() -> None:
    old = {"watched_s": 900, "models": {"org/b": {"requests": 3, "last_s": 8}, "org/a": {"requests": 2, "last_s": 700}}}
    young = {"watched_s": 10, "models": {"org/b": {"requests": 1, "last_s": 4}}}
    assert combined([old, young]) == {
        "replicas": 2,
        "watched_s": 10,
        "models": {"org/a": {"requests": 2, "last_s": 700}, "org/b": {"requests": 4, "last_s": 4}},
    }
    assert old["models"]["org/b"] == {"requests": 3, "last_s": 8}
    assert combined([]) == {"replicas": 0, "watched_s": 0, "models": {}}

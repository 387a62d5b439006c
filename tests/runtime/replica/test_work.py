from runtime.replica.work import Work


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_before_the_first_request_there_is_no_latest() -> None:
    clock = Clock()
    work = Work(clock)
    clock.now = 130
    assert work.report() == {"requests": 0, "ongoing": 0, "last_s": None, "watched_s": 30}


def test_a_request_is_ongoing_until_it_ends_however_it_ends() -> None:
    clock = Clock()
    work = Work(clock)
    clock.now = 110
    with work.request():
        clock.now = 112.5
        assert work.report() == {"requests": 1, "ongoing": 1, "last_s": 2.5, "watched_s": 12.5}
    try:
        with work.request():
            raise ValueError
    except ValueError:
        pass
    clock.now = 113
    assert work.report() == {"requests": 2, "ongoing": 0, "last_s": 0.5, "watched_s": 13}

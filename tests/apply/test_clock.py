from reconciler.apply.clock import SystemClock


def test_the_clock_of_the_machine_goes_on_while_it_sleeps() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.001)
    assert clock.now() > before

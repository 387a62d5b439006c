from reconciler.serve.access_log import other_writers

ME, YOU = "reconciler/0.1.0 (aa)", "python-requests/2.32 'quoted'"


def line(second: float, method: str, agent: str, *, status: int = 200, micros: int = 20_000, path: str = "/") -> str:
    """One request that ended that many seconds after the full minute."""
    return (
        f"2026-11-21 13:24:{second:06.3f}".replace(".", ",") + "\tINFO web_log.py:229 -- 10.0.0.7 "
        f"[21/Nov/2026:13:24:22 +0000] '{method} /api/serve/applications{path} HTTP/1.1' {status} 111 bytes "
        f"{micros} us '-' '{agent}'\n"
    )


def seen(*lines: str) -> tuple[str, ...] | None:
    return other_writers("".join(lines), ME)


def test_nobody_else_wrote() -> None:
    assert seen(line(1, "GET", ME), line(2, "PUT", ME)) == ()


def test_somebody_wrote_in_between() -> None:
    assert seen(line(1, "GET", ME), line(1.5, "PUT", YOU), line(2, "PUT", ME)) == (f"10.0.0.7 with {YOU}",)


def test_everybody_is_named_once() -> None:
    other = line(1.4, "DELETE", "curl/8", path="")
    found = seen(line(1, "GET", ME), line(1.3, "PUT", YOU), other, line(1.5, "PUT", YOU), line(2, "PUT", ME))
    assert found == (f"10.0.0.7 with {YOU}", "10.0.0.7 with curl/8")


def test_what_was_written_before_the_read_was_seen() -> None:
    assert seen(line(0.9, "PUT", YOU), line(1, "GET", ME), line(2, "PUT", ME)) == ()


def test_what_overlaps_the_read_or_the_write_may_not_have_been_seen() -> None:
    assert seen(line(0.99, "PUT", YOU), line(1, "GET", ME), line(2, "PUT", ME))
    assert seen(line(1, "GET", ME), line(2, "PUT", ME), line(2.1, "PUT", YOU, micros=200_000))


def test_what_was_written_afterwards_can_be_read_back() -> None:
    assert seen(line(1, "GET", ME), line(2, "PUT", ME), line(2.1, "PUT", YOU)) == ()


def test_the_last_write_counts_and_the_last_read_before_it() -> None:
    first = (line(1, "GET", ME), line(1.5, "PUT", YOU), line(2, "PUT", ME))
    assert seen(*first, line(2.1, "GET", ME), line(3, "PUT", ME), line(3.1, "GET", ME)) == ()


def test_reads_and_refused_writes_of_others_do_nothing() -> None:
    refused = line(1.6, "PUT", YOU, status=401)
    assert seen(line(1, "GET", ME), line(1.5, "GET", YOU), refused, line(2, "PUT", ME)) == ()


def test_a_write_that_was_answered_400_may_have_been_stored() -> None:
    assert seen(line(1, "GET", ME), line(1.5, "PUT", YOU, status=400), line(2, "PUT", ME))


def test_a_log_that_does_not_show_both_tells_nothing() -> None:
    assert seen() is None
    assert seen(line(1, "GET", ME), line(1.5, "PUT", YOU)) is None
    assert seen(line(1.5, "PUT", YOU), line(2, "PUT", ME)) is None
    assert seen("2026-11-21 13:24:22,429\tINFO other.py:1 -- hello\n") is None


def test_other_requests_and_odd_agents_are_passed_over() -> None:
    other = line(1.2, "PUT", YOU, path="").replace("serve/applications", "packages/gcs/x.zip")
    odd = line(1.5, "PUT", "x\x1b[2J" + "y" * 500)
    found = seen(line(1, "GET", ME), other, odd, line(2, "PUT", ME))
    assert found == (("10.0.0.7 with x[2J" + "y" * 500)[:120],)

import pytest

from reconciler.serve.event_stream import DONE, events


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (b"", []),
        (b"data: one\n\ndata: two\n\n", ["one", "two"]),
        (b"data:one\n\n", ["one"]),
        (b"data: one\ndata:  two\n\n", ["one\n two"]),
        (b": keep alive\n\nevent: x\nid: 7\ndata: one\n\n", ["one"]),
        (b"data: a: b\n\n", ["a: b"]),
        (b"\n\n\ndata: one\n\n\n\n", ["one"]),
        (b"data: one\n\ndata: [DONE]\n\n", ["one", DONE]),
        (b"data: one\n\ndata: half", ["one"]),
        ("data: é\n\n".encode(), ["é"]),
        (b"data: \xff\n\n", ["�"]),
    ],
)
def test_the_data_of_each_complete_event_is_found(stream: bytes, found: list[str]) -> None:
    assert list(events(stream.split(b"\n"))) == found

"""Server-sent events, as the OpenAI API streams its answers."""

from collections.abc import Iterable, Iterator

DONE = "[DONE]"
"""The last event of a stream that came to its end."""


def events(lines: Iterable[bytes]) -> Iterator[str]:
    """The data of each event, from the lines of the stream without their ends (WHATWG HTML, 9.2.6).

    Comments, which servers send to keep a connection open, and the other fields of events are left out. What has no
    empty line behind it is not complete and is left out as well.
    """
    data: list[str] = []
    for line in lines:
        name, _, value = line.decode("utf-8", "replace").partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif not line and data:
            yield "\n".join(data)
            data.clear()

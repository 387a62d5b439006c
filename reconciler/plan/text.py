"""Small pieces of sentences that the plan and the drift report share."""


def first_line(message: str) -> str:
    """The first line of a message that says anything."""
    return next((line.strip() for line in message.splitlines() if line.strip()), "")


def plural(count: int, noun: str) -> str:
    """`1 replica`, `2 replicas`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

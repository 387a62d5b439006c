"""A terminal: what is on the screen after a program has written its escape sequences."""

import pyte


def shown(output: str, width: int = 80, height: int = 40) -> list[str]:
    """The lines that a person sees, without those that are empty at the end."""
    screen = pyte.Screen(width, height)
    # A terminal that is asked to go to the next line goes to its beginning as well (`onlcr`).
    pyte.Stream(screen).feed(output.replace("\n", "\r\n"))
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines

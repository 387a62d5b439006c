"""Which application a person means who names a model."""

from collections.abc import Sequence
from difflib import get_close_matches

from reconciler.cli.failure import Failure
from reconciler.state.names import application_name


def choose_application(name: str, applications: Sequence[str]) -> str:
    """The application of a model id, or of that very name. Raises Failure that names the nearest one."""
    for candidate in (name, application_name(name)):
        if candidate in applications:
            return candidate
    near = get_close_matches(application_name(name), applications, n=1)
    raise Failure(
        f"no application for `{name}`",
        f"did you mean `{near[0]}`?"
        if near
        else f"there are {', '.join(f'`{one}`' for one in applications)}"
        if applications
        else None,
    )

"""Expected failures: what a command raises when it cannot go on, and what is said about them."""

FAILED = 1
CHANGES = 2
WRONG_USAGE = 64
INTERRUPTED = 130


class Failure(Exception):
    """Ends a command with exit code 1, a message and a hint of what to do. An empty message: all has been said."""

    def __init__(self, message: str = "", hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class WrongUsage(Failure):
    """The command cannot be meant like this; exit code 64."""


def explained(error: Exception) -> Failure | None:
    """An error of a lower layer that a user can do something about, as a Failure; None for an unexpected one.

    The layers are imported here, after something failed, so that a command that succeeds does not pay for it.
    """
    if isinstance(error, Failure):
        return error
    from reconciler.apply.errors import ApplyStopped
    from reconciler.forge.protocols import ForgeError
    from reconciler.plan.build import PlanRefused
    from reconciler.plan.file import PlanFileError
    from reconciler.plan.selection import SelectionError
    from reconciler.registry.repository import GitTrouble
    from reconciler.serve.errors import ServeError

    if isinstance(error, ServeError | ApplyStopped | ForgeError | PlanFileError | SelectionError | GitTrouble):
        return Failure(error.message, error.hint)
    if isinstance(error, PlanRefused):
        return Failure(error.reason, error.hint)
    if isinstance(error, OSError) and error.filename is not None:
        return Failure(f"`{error.filename}`: {error.strerror}")
    return None

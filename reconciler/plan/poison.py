"""A stored config that Ray refuses to build, which makes it refuse every document that holds it."""

from collections.abc import Iterable, Mapping

from reconciler.plan.footing import ASKED
from reconciler.state.application import Application


def poisoned(applications: Iterable[Application]) -> str | None:
    """What is wrong with the first such application, in a sentence; None when there is none."""
    for application in applications:
        names = _not_text(application)
        if names:
            listed = ", ".join(f"`{name}`" for name in names)
            return f"the stored config of `{application.name}` has environment variables that are not text: {listed}"
    return None


def _not_text(application: Application) -> tuple[str, ...]:
    """Names of the environment variables that are no text. Ray stores such a config before it refuses it
    (`ServeController.apply_config` 2.60)."""
    runtime_env = application.excerpt(ASKED).get("runtime_env")
    variables = runtime_env.get("env_vars") if isinstance(runtime_env, Mapping) else None
    if not isinstance(variables, Mapping):
        return ()
    return tuple(sorted(str(name) for name, value in variables.items() if not isinstance(value, str)))

"""The values of environment variables in a config: none of them may ever be shown."""

from collections.abc import Iterator, Mapping

from reconciler.state.json_value import JsonValue


def env_values(value: JsonValue) -> Iterator[str]:
    """Every text below an `env_vars` at any depth, references among them."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "env_vars" and isinstance(item, Mapping):
                yield from (entry for entry in item.values() if isinstance(entry, str))
            else:
                yield from env_values(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from env_values(item)

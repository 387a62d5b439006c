"""`runtime_env` of a Ray Serve application, which held for every model in it."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.diagnostics import Position
from reconciler.registry.dialects.runtime_envs import RUNTIME_ENV
from reconciler.registry.dialects.translation import Fate, KeyFate, Translation, Translator, dotted
from reconciler.registry.imports.imported import leave_out
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.secret import is_secret_name

_CODE = ("working_dir", "py_modules", "excludes", "config")
_NODE_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(slots=True)
class Environment:
    """What every model of an application gets, where its own file does not say otherwise."""

    variables: dict[str, tuple[str, Position]] = field(default_factory=dict)
    packages: tuple[list[Any], Position] | None = None

    def added_to(self, translation: Translation) -> Translation:
        """A model with these variables and packages."""
        engine = dict(translation.value.get("engine_config", {}))
        environment = dict(engine.get("runtime_env") or {})
        positions = dict(translation.positions)
        variables = dict(environment.get("env_vars") or {})
        for name, (value, position) in self.variables.items():
            if name not in variables:
                variables[name] = value
                positions[*RUNTIME_ENV, "env_vars", name] = position
        if variables:
            environment["env_vars"] = variables
        if self.packages is not None and "pip" not in environment:
            environment["pip"], positions[*RUNTIME_ENV, "pip"] = self.packages
        if environment:
            engine["runtime_env"] = environment
        return replace(translation, value={**translation.value, "engine_config": engine}, positions=positions)


def translate_environment(translator: Translator, source: KeyPath) -> Environment:
    """Read the runtime environment at `source`. A secret in clear becomes a reference to a variable of that name."""
    found = Environment()
    for name in translator.keys((*source, "env_vars")):
        path = (*source, "env_vars", name)
        value = translator.get(*path)
        if value is not None:
            found.variables[name] = (_variable(translator, path, name, value), translator.position(path))
    packages = translator.get(*source, "pip")
    if isinstance(packages, list):
        found.packages = (packages, translator.position((*source, "pip")))
        _map(translator, (*source, "pip"), (*RUNTIME_ENV, "pip"), None)
    for key in translator.keys(source):
        path = (*source, key)
        if key in _CODE and translator.has(path):
            leave_out(translator, path, "it brings code of the application, in whose place the registry has its own")
        elif key not in ("env_vars", *_CODE) and translator.has(path) and not translator.decided(path):
            message = f"`{dotted(path)}` has no counterpart: a model file holds `env_vars` and `pip`"
            translator.refuse(path, "runtime-env-part", message, "build it into the image of the nodes")
    return found


def _variable(translator: Translator, path: KeyPath, name: str, value: Any) -> Any:
    target = (*RUNTIME_ENV, "env_vars", name)
    if not isinstance(value, str):
        _map(translator, path, target, None)
        return value
    referring = node_references(value)
    if is_secret_name(name) and value and referring == value and "${env:" not in value:
        _map(translator, path, target, "a reference takes the place of the secret")
        message = f"{quoted(name)} is a secret, and its value stands here in clear: the file refers to a variable"
        hint = f"set `{name}` in the environment of the cluster's nodes"
        translator.warn(translator.position(path), "secret-in-clear", message, hint)
        return f"${{env:{name}}}"
    _map(translator, path, target, None if referring == value else "it is resolved on the cluster's nodes")
    return referring


def node_references(value: Any) -> Any:
    """The same text or mapping of texts with `${env:NAME}` for `${NAME}`, which Ray expands on the node."""
    if isinstance(value, dict):
        return {key: node_references(item) for key, item in value.items()}
    return _NODE_VARIABLE.sub(r"${env:\1}", value) if isinstance(value, str) else value


def _map(translator: Translator, path: KeyPath, target: KeyPath, reason: str | None) -> None:
    position = translator.position(path)
    translator.fates[path] = KeyFate(path, position, Fate.MAPPED, dotted(target), reason)

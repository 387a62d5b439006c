"""`runtime_env`: variables and packages of the workers, some of them for engines that are gone."""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.registry.dialects.translation import Translator, dotted
from reconciler.registry.key_path import KeyPath

RUNTIME_ENV: KeyPath = ("engine_config", "runtime_env")
"""Where it stands in the canonical form."""

_BUILD = "nothing is compiled when a replica starts"
_PRIVATE = "only Anyscale's own version of vLLM read it"

_OBSOLETE_VARIABLES: Mapping[str, str] = {
    "CMAKE_ARGS": _BUILD,
    "FORCE_CMAKE": _BUILD,
    "RECREATE_FAILED_ACTORS": "Ray Serve replaces failed replicas itself",
}
_PRIVATE_PREFIX = "ANYSCALE_VLLM_"

_OBSOLETE_PACKAGES = re.compile(r"(deepspeed|llama-cpp-python|text-generation)\b.*", re.IGNORECASE)
"""Packages of the engines that ran these models before vLLM."""


def translate_runtime_env(translator: Translator, source: KeyPath) -> None:
    """Carry the runtime environment at `source`. What a model file cannot hold is refused."""
    for name in translator.keys((*source, "env_vars")):
        _translate_variable(translator, (*source, "env_vars", name), name)
    _translate_packages(translator, (*source, "pip"))
    for key in translator.keys(source):
        if key not in ("env_vars", "pip") and translator.has((*source, key)):
            message = f"`{dotted((*source, key))}` has no counterpart: a model file holds `env_vars` and `pip`"
            translator.refuse((*source, key), "runtime-env-part", message, "build it into the image of the nodes")


def _translate_variable(translator: Translator, path: KeyPath, name: str) -> None:
    if name in _OBSOLETE_VARIABLES:
        translator.drop(path, _OBSOLETE_VARIABLES[name])
    elif name.startswith(_PRIVATE_PREFIX):
        translator.drop(path, _PRIVATE)
    else:
        translator.copy(path, (*RUNTIME_ENV, "env_vars", name))


def _translate_packages(translator: Translator, path: KeyPath) -> None:
    given: Any = translator.get(*path)
    if isinstance(given, Mapping):
        message = "`pip` is a list of packages in a model file"
        translator.refuse(path, "runtime-env-part", message, "write the packages as a list")
        return
    if not isinstance(given, list):
        translator.copy(path, (*RUNTIME_ENV, "pip"))
        return
    kept = [package for package in given if not _OBSOLETE_PACKAGES.fullmatch(str(package))]
    if kept == given:
        translator.copy(path, (*RUNTIME_ENV, "pip"))
    elif kept:
        translator.map(path, (*RUNTIME_ENV, "pip"), kept, "without the packages of engines that are gone")
    else:
        translator.drop(path, "these packages belong to an engine that is gone")

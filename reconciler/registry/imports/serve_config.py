"""Config files of Ray Serve whose applications list models, from Aviary 0.2 to `ray.serve.llm` and Anyscale's services.

One application held all models behind one router; here each model is a file, and the gateway takes the router's place.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from reconciler.registry.dialects.translation import Fate, KeyFate, Translator
from reconciler.registry.document import Document
from reconciler.registry.imports.documents import part
from reconciler.registry.imports.imported import Imported, leave_out, refuse_rest, together
from reconciler.registry.imports.indexed_config import MODEL_LISTS, indexed, is_indexed
from reconciler.registry.imports.serve_adapters import read_adapters, settle
from reconciler.registry.imports.serve_environment import translate_environment
from reconciler.registry.imports.serve_models import Surroundings, import_models, is_of_model
from reconciler.registry.imports.source import Find
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

NAME = "Ray Serve"
SERVICE: KeyPath = ("ray_serve_config",)
"""Where the config stands in the file of an Anyscale service."""

_BUILDERS = re.compile(
    r"(aviary|rayllm|aviary_private_endpoints)\..*:(router|llm)_application|rayllm:app|ray\.serve\.llm\b.*:\w+"
)
"""Import paths of applications that list models."""

_ONE_MODEL = ":llm_application"

_MULTIPLEXED = "multiplex_models"
"""The list of models that serve adapters."""

_CLUSTER = (
    "proxy_location",
    "http_options",
    "grpc_options",
    "controller_options",
    "logging_config",
    "tracing_config",
    "target_capacity",
)
_SERVICE_KEYS = (
    "name",
    "version",
    "containerfile",
    "image_uri",
    "compute_config",
    "working_dir",
    "cloud",
    "cluster_env",
    "requirements",
    "env_vars",
    "query_auth_token_enabled",
    "rollout_strategy",
)
_APPLICATION_KEYS = ("logging_config", "autoscaling_policy", "external_scaler_enabled", "host", "port")
_ROUTER_ARGS = ("ingress_cls_config", "ingress_deployment_config", "query_auth_token_enabled")


def is_serve_config(document: Document) -> bool:
    """Whether a document is a config of Ray Serve, by itself or in an Anyscale service."""
    config = document.value.get("ray_serve_config")
    return "applications" in document.value or (isinstance(config, Mapping) and "applications" in config)


def import_serve_config(document: Document, find: Find, clusters: tuple[str, ...] = ()) -> Imported:
    """Every model that the applications of a config list, for these clusters or else the default one."""
    base = SERVICE if "applications" not in document.value else ()
    translator = Translator(NAME, indexed(document, base))
    for key in _SERVICE_KEYS:
        if translator.get(key) is not None:
            leave_out(translator, (key,), "it is about Anyscale's service, and not about a model")
    parts = import_applications(translator, base, find, clusters)
    translation = translator.finish()
    return together([Imported((), translation.fates, translation.diagnostics), *parts])


def import_applications(
    translator: Translator, base: KeyPath, find: Find, clusters: tuple[str, ...] = ()
) -> list[Imported]:
    """The models of the config at `base`. What is not a model's gets its fate in `translator`."""
    for key in _CLUSTER:
        if translator.get(*base, key) is not None:
            hint = "what the cluster has stays: `reconcile` never changes it"
            leave_out(translator, (*base, key), "it is about the cluster, and not about a model", hint)
    applications = translator.get(*base, "applications")
    if not is_indexed(applications):
        message, hint = "there is no list of applications", "write `applications:` with at least one"
        translator.refuse((*base, "applications"), "no-model", message, hint)
        return []
    paths = [(*base, "applications", index) for index in applications]
    alone = [path for path in paths if _import_path(translator, path).endswith(_ONE_MODEL)]
    found = []
    for path in paths:
        if alone and path not in alone and isinstance(translator.get(*path, "args", "models"), Mapping):
            _translate_router(translator, path)
        else:
            found.extend(_application(translator, path, find, clusters))
    return found


def _import_path(translator: Translator, path: KeyPath) -> str:
    return str(translator.get(*path, "import_path", default=""))


def _translate_router(translator: Translator, path: KeyPath) -> None:
    """Aviary's router beside applications of one model each: it serves none itself."""
    translator.keep(path, "it only routes to the applications of the models; the gateway takes its place")


def _application(translator: Translator, path: KeyPath, find: Find, clusters: tuple[str, ...]) -> list[Imported]:
    import_path, arguments = _import_path(translator, path), (*path, "args")
    lists = [key for key in MODEL_LISTS if translator.get(*arguments, key) is not None]
    if not _BUILDERS.fullmatch(import_path) and "llm_configs" not in lists:
        message = f"{quoted(import_path)} is a program of its own, and lists no models that can be read"
        hint = "`args.llm_configs` of `ray.serve.llm:build_openai_app` lists models"
        translator.refuse((*path, "import_path"), "no-model", message, hint)
        refuse_rest(translator, "its application is refused", path)
        return []
    for key in ("name", "route_prefix", "import_path"):
        if translator.get(*path, key) is not None:
            translator.keep((*path, key), "the model's id gives its application a name; the gateway is at `/`")
    for key in _APPLICATION_KEYS:
        if translator.get(*path, key) is not None:
            leave_out(translator, (*path, key), "the registry's own applications do not have it")
    around = Surroundings(
        _called(translator, path),
        translate_environment(translator, (*path, "runtime_env")),
        adapters := read_adapters(translator, arguments, find),
        _overrides(translator, (*path, "deployments")),
        find,
        clusters,
    )
    found = [
        imported
        for key in lists
        for imported in import_models(translator, (*arguments, key), replace(around, multiplexed=key == _MULTIPLEXED))
    ]
    if not found and not adapters.parts and not _told(translator, arguments):
        message, hint = "the application lists no models", "import the files of its models by themselves"
        translator.report(translator.position(arguments), "no-model", message, hint)
    settle(translator, arguments, adapters)
    found += adapters.parts
    for key in _ROUTER_ARGS:
        if translator.get(*arguments, key) is not None:
            leave_out(translator, (*arguments, key), "the gateway takes the router's place")
    _translate_overrides(translator, (*path, "deployments"), around)
    return found


def _told(translator: Translator, path: KeyPath) -> bool:
    """Whether something at `path` is refused already."""
    return any(fate.fate is Fate.REFUSED and found[: len(path)] == path for found, fate in translator.fates.items())


def _called(translator: Translator, path: KeyPath) -> str:
    name = translator.get(*path, "name", default="default")
    return f"application {quoted(name)} of Ray Serve"


def _overrides(translator: Translator, path: KeyPath) -> dict[str, Document]:
    """The entries of `deployments` that have a name."""
    entries = translator.get(*path)
    return {
        str(entry["name"]): part(translator.document, (*path, index))
        for index, entry in (entries.items() if is_indexed(entries) else ())
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
    }


def _translate_overrides(translator: Translator, path: KeyPath, around: Surroundings) -> None:
    entries = translator.get(*path)
    for index, entry in entries.items() if is_indexed(entries) else ():
        place: KeyPath = (*path, index)
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name in around.used:
            position = translator.position(place)
            reason = "they are options of the model's deployment"
            translator.fates[place] = KeyFate(place, position, Fate.MAPPED, "deployment_config", reason)
        elif isinstance(name, str) and is_of_model(name):
            message = f"no model of the application has the deployment {quoted(name)}"
            translator.refuse(place, "unknown-deployment", message, "`LLMServer:` and the id with `--` for `/`")
        else:
            leave_out(translator, place, "it is no model's deployment; the gateway takes the router's place")

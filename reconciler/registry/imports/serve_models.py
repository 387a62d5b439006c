"""The models that an application of Ray Serve lists: inline, as paths of files and folders, or as YAML in a text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.diagnostics import Position, has_errors
from reconciler.registry.dialects.dialect import CANONICAL, dialect_of
from reconciler.registry.dialects.translation import Fate, KeyFate, Translator
from reconciler.registry.document import Document, parse
from reconciler.registry.imports.checked_file import checked_file, shown_in_comment
from reconciler.registry.imports.documents import part
from reconciler.registry.imports.imported import Imported, refuse_rest
from reconciler.registry.imports.serve_adapters import Adapters
from reconciler.registry.imports.serve_environment import Environment
from reconciler.registry.imports.source import Find, Source
from reconciler.registry.key_path import KeyPath
from reconciler.registry.model_id import application_name
from reconciler.registry.quoted import quoted

_MODEL_KEYS = frozenset({"model_loading_config", "engine_config", "model_config", "model_conf"})
"""A mapping with one of them is a model; another one leads from ids to models."""

_DEPLOYMENT_PREFIXES = ("LLMServer:", "LLMDeployment:", "VLLMDeployment:", "EmbeddingDeployment:", "TRTLLMDeployment:")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the application says about each of its models, and how to find their files."""

    application: str
    """For the comment of a file."""
    environment: Environment
    adapters: Adapters
    overrides: Mapping[str, Document]
    """The entries of `deployments` by name."""
    find: Find
    clusters: tuple[str, ...] = ()
    """The clusters that are to serve the models; none is the default one."""
    multiplexed: bool = False
    """Whether the models were listed as those that serve adapters."""
    used: set[str] = field(default_factory=set)
    """The names of those that are options of a model found so far."""


def import_models(translator: Translator, path: KeyPath, around: Surroundings) -> list[Imported]:
    """The models at `path`, in any of the forms, each key of theirs with its fate in `translator` or in the result."""
    value = translator.get(*path)
    if value == []:
        translator.keep(path, "it lists nothing")
        return []
    if isinstance(value, Mapping) and not _MODEL_KEYS.isdisjoint(value):
        return [_inline(translator, path, around)]
    if isinstance(value, Mapping):
        return [found for name in value for found in import_models(translator, (*path, name), around)]
    if isinstance(value, str):
        return _named(translator, path, value, around)
    message = "this is neither a model nor the path of its file"
    translator.refuse(path, "wrong-type", message, "write the path, or the model itself")
    return []


def is_of_model(deployment: str) -> bool:
    """Whether a deployment of that name served a model, and did not only route."""
    return deployment.startswith(_DEPLOYMENT_PREFIXES)


def _inline(translator: Translator, path: KeyPath, around: Surroundings) -> Imported:
    document = part(translator.document, path)
    comment = f"Imported from {_place(translator.position(path))}, {around.application}."
    imported = _model(document, around, [comment])
    for fate in imported.fates:
        place = (*path, *fate.path)
        translator.fates[place] = replace(fate, path=place)
    refuse_rest(translator, "its model is refused", path)
    return replace(imported, fates=())


def _named(translator: Translator, path: KeyPath, reference: str, around: Surroundings) -> list[Imported]:
    position = translator.position(path)
    sources = around.find(reference, translator.document.file)
    if sources:
        found = [_file(source, position, around) for source in sources]
    elif "\n" in reference:
        found = [_text(reference, position, around)]
    else:
        message = f"the file {quoted(reference)} is neither beside this one nor in a folder above it"
        hint = "put the model's file there, or import it by itself"
        translator.refuse(path, "missing-file", message, hint)
        return []
    names = [file.name for imported in found for file in imported.files]
    if names:
        fate = KeyFate(path, position, Fate.MAPPED, ", ".join(names), "a file of the registry")
    else:
        fate = KeyFate(path, position, Fate.REFUSED, None, "the model it names is refused")
    translator.fates[path] = fate
    return found


def _text(text: str, position: Position, around: Surroundings) -> Imported:
    """RayLLM read a text that is no path as YAML. All of it stands where the text begins."""
    document, problems = parse(position.file, text.encode())
    problems = tuple(replace(problem, position=position) for problem in problems)
    if document is None:
        return Imported((), (), problems)
    document = replace(document, positions=dict.fromkeys(document.positions, position))
    imported = _model(document, around, [f"Imported from {_place(position)}, {around.application}."])
    return Imported(imported.files, (), (*problems, *imported.diagnostics))


def _file(source: Source, named_at: Position, around: Surroundings) -> Imported:
    document, problems = parse(source.file, source.content)
    if document is None:
        return Imported((), (), problems)
    where = f"{_place(named_at)}, {around.application}"
    imported = _model(document, around, [f"Imported from {shown_in_comment(source.file)}", f"for {where}."])
    diagnostics = (*problems, *imported.diagnostics)
    return Imported(() if has_errors(problems) else imported.files, imported.fates, diagnostics)


def _model(document: Document, around: Surroundings, comments: list[str]) -> Imported:
    written = document
    document, overridden = _overridden(document, around)
    dialect = dialect_of(document)
    translation = around.environment.added_to(dialect.translate(document))
    translation = around.adapters.added_to(translation, multiplexed=around.multiplexed)
    fates = (
        *(fate for fate in translation.fates if fate.position not in overridden),
        *_replaced_fates(written, document),
    )
    value = {**translation.value, "clusters": list(around.clusters)} if around.clusters else translation.value
    if dialect is not CANONICAL:
        comments = [*comments, f"Format: {dialect.name}."]
    return checked_file(document, replace(translation, value=value, fates=fates), comments)


def _overridden(document: Document, around: Surroundings) -> tuple[Document, frozenset[Position]]:
    """The model with the options that the application gives for its deployment, and where those stand."""
    suffix = ":" + application_name(_model_id(document) or "")
    name = next((name for name in around.overrides if is_of_model(name) and name.endswith(suffix)), None)
    if name is None:
        return document, frozenset()
    around.used.add(name)
    override = around.overrides[name]
    given = {key: value for key, value in override.value.items() if key != "name"}
    own = document.value.get("deployment_config")
    value = {**document.value, "deployment_config": {**(own if isinstance(own, Mapping) else {}), **given}}
    section: KeyPath = ("deployment_config",)
    places = {(*section, *path): place for path, place in override.positions.items() if path and path[0] in given}
    positions = {path: place for path, place in document.positions.items() if not _replaced(path, given)}
    positions = {section: override.positions[()], **positions, **places}
    return replace(document, value=value, positions=positions), frozenset(places.values())


def _replaced_fates(written: Document, document: Document) -> Iterator[KeyFate]:
    """What becomes of the options in the model's own file that the application gives, too."""
    before, after = written.value.get("deployment_config"), document.value.get("deployment_config")
    if document is written or not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return
    for key in before:
        path: KeyPath = ("deployment_config", key)
        if document.positions.get(path) != written.positions[path]:
            reason = "`deployments` of the application gives it, and counts"
            yield KeyFate(path, written.positions[path], Fate.OBSOLETE, None, reason)


def _replaced(path: KeyPath, given: Mapping[str, Any]) -> bool:
    return len(path) > 1 and path[0] == "deployment_config" and path[1] in given


def _model_id(document: Document) -> str | None:
    for section in ("model_loading_config", "engine_config", "model_config", "model_conf"):
        value = document.value.get(section)
        if isinstance(value, Mapping) and isinstance(value.get("model_id"), str):
            return str(value["model_id"])
    return None


def _place(position: Position) -> str:
    return f"{shown_in_comment(position.file)}:{position.line}"

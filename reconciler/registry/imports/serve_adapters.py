"""Adapters that an application of Ray Serve names beside its models: files of single ones, and a path for the others.

Anyscale's routers listed the files in `multiplex_lora_adapters`; here an adapter is an entry in its model's file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.diagnostics import Diagnostic, Position
from reconciler.registry.dialects.adapters import LORA
from reconciler.registry.dialects.translation import Fate, KeyFate, Translation, Translator, dotted
from reconciler.registry.document import Document, parse
from reconciler.registry.imports.imported import Imported, leave_out, refuse_rest
from reconciler.registry.imports.indexed_config import ADAPTER_LIST, is_indexed
from reconciler.registry.imports.source import Find, Source
from reconciler.registry.key_path import KeyPath
from reconciler.registry.model_id import application_name
from reconciler.registry.quoted import quoted

PATH = "dynamic_lora_loading_path"

_NAME = "Anyscale Endpoints"
_BUCKET: KeyPath = ("lora_mirror_config", "bucket_uri")


@dataclass(slots=True)
class Adapters:
    """What an application says of adapters, until the files of its models are written."""

    path: tuple[str, Position] | None = None
    """Where requests find adapters by name."""
    entries: dict[str, list[tuple[dict[str, Any], Position]]] = field(default_factory=dict)
    """Single ones, by the id of their model."""
    taken: set[str] = field(default_factory=set)
    """What found a model: ids, and `PATH`."""
    parts: list[Imported] = field(default_factory=list)
    """What was said of their own files."""

    def added_to(self, translation: Translation, *, multiplexed: bool) -> Translation:
        """A model with its adapters. Those by name go to models that were listed for adapters, or have the section."""
        engine = dict(translation.value.get("engine_config") or {})
        section = dict(engine.get("lora_config") or {})
        positions = dict(translation.positions)
        if self.path is not None and PATH not in section and (multiplexed or "lora_config" in engine):
            section[PATH], positions[*LORA, PATH] = self.path
            self.taken.add(PATH)
        own = self.entries.get(str(engine.get("model_id")), [])
        for index, (entry, position) in enumerate(own):
            section.setdefault("adapters", []).append(entry)
            positions[*LORA, "adapters", index] = position
            self.taken.add(str(engine.get("model_id")))
        if not section:
            return translation
        value = {**translation.value, "engine_config": {**engine, "lora_config": section}}
        return replace(translation, value=value, positions=positions)


def read_adapters(translator: Translator, arguments: KeyPath, find: Find) -> Adapters:
    """The adapters that the application's `args` name."""
    found = Adapters()
    given = translator.get(*arguments, PATH)
    if isinstance(given, str):
        found.path = (given, translator.position((*arguments, PATH)))
    listed = translator.get(*arguments, ADAPTER_LIST)
    if listed == []:
        translator.keep((*arguments, ADAPTER_LIST), "it lists nothing")
    for index, reference in listed.items() if is_indexed(listed) else ():
        path = (*arguments, ADAPTER_LIST, index)
        sources = find(reference, translator.document.file) if isinstance(reference, str) else ()
        if not sources:
            message = f"the file {quoted(reference)} is neither beside this one nor in a folder above it"
            translator.refuse(path, "missing-file", message, "put the adapter's file there")
            continue
        position = translator.position(path)
        translator.fates[path] = KeyFate(path, position, Fate.MAPPED, dotted((*LORA, "adapters")), "an adapter's file")
        for source in sources:
            _read_file(source, found)
    return found


def settle(translator: Translator, arguments: KeyPath, adapters: Adapters) -> None:
    """Give what was named in `args` its fate, once the models are known."""
    if adapters.path is not None:
        path = (*arguments, PATH)
        if PATH in adapters.taken:
            translator.fates[path] = KeyFate(path, adapters.path[1], Fate.MAPPED, dotted((*LORA, PATH)))
            message = "adapters lie in other folders than in Anyscale's: `ID` below the path, not `MODEL:ID`"
            hint = "move each folder, or name the adapters one by one with `source` in `lora_config.adapters`"
            translator.warn(adapters.path[1], "adapter-layout", message, hint)
        else:
            leave_out(translator, path, "none of the models serves adapters")
    elif translator.has((*arguments, PATH)):
        message = f"`{dotted((*arguments, PATH))}` must be a text"
        translator.refuse((*arguments, PATH), "wrong-type", message)
    for model_id, entries in adapters.entries.items():
        for _, position in entries if model_id not in adapters.taken else ():
            message = f"the adapter's model {quoted(model_id)} is not among those of the application"
            adapters.parts.append(Imported((), (), (Diagnostic(position, "unknown-base-model", message, None),)))


def _read_file(source: Source, found: Adapters) -> None:
    document, problems = parse(source.file, source.content)
    if document is None:
        found.parts.append(Imported((), (), problems))
        return
    translator = Translator(_NAME, document)
    model_id, entry = _entry(translator)
    if entry is None:
        refuse_rest(translator, "the adapter is refused")
    else:
        found.entries.setdefault(model_id, []).append((entry, translator.position(())))
    translation = translator.finish()
    found.parts.append(Imported((), translation.fates, (*problems, *translation.diagnostics)))


def _entry(translator: Translator) -> tuple[str, dict[str, Any] | None]:
    """The id of the model and the adapter in canonical form; None where it cannot be one."""
    base, name = translator.get("base_model_id"), translator.get("model_id")
    uri = translator.get(*_BUCKET)
    for path, value in ((("base_model_id",), base), (("model_id",), name), (_BUCKET, uri)):
        if not isinstance(value, str):
            message = f"`{dotted(path)}` is missing, or no text"
            translator.report(translator.position(path), "missing-key", message, f"add `{path[-1]}:`")
    if not (isinstance(base, str) and isinstance(name, str) and isinstance(uri, str)):
        return "", None
    # Where it is not the model's id and a suffix, it stays a name under which the adapter is known.
    own = name.removeprefix(f"{base}:")
    entry: dict[str, Any] = {"id": own if own != name else application_name(name).replace(":", "_"), "source": uri}
    if own == name:
        entry["aliases"] = [name]
    _fate(translator, ("base_model_id",), "engine_config.model_id", "it is an entry in its model's file")
    _fate(translator, ("model_id",), f"{dotted(LORA)}.adapters.id")
    _fate(translator, _BUCKET, f"{dotted(LORA)}.adapters.source")
    for path, key in _generation(translator):
        entry.setdefault("generation", {})[key] = translator.get(*path)
        _fate(translator, path, f"{dotted(LORA)}.adapters.generation.{key}")
    if translator.get("generation", "prompt_format"):
        path = ("generation", "prompt_format")
        translator.drop(path, "an adapter's conversations become prompts as those of its model do")
    return base, entry


def _generation(translator: Translator) -> Iterator[tuple[KeyPath, str]]:
    path: KeyPath = ("generation", "stopping_sequences")
    given = translator.get(*path)
    if isinstance(given, list) and all(isinstance(stop, str) for stop in given):
        yield path, "stopping_sequences"


def _fate(translator: Translator, path: KeyPath, target: str, reason: str | None = None) -> None:
    translator.fates[path] = KeyFate(path, translator.position(path), Fate.MAPPED, target, reason)


def is_adapter_file(document: Document) -> bool:
    """Whether a document is the file of a single adapter, which nothing but its model's own file can hold."""
    return isinstance(document.value, Mapping) and "lora_mirror_config" in document.value

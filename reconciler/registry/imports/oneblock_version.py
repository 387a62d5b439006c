"""One `ModelTemplateVersion` of OneBlock in canonical form, as proposed and as built.

OneBlock's controller made a RayLLM 0.5 file of it (`pkg/controller/modeltemplate/model_config.go`); the defaults here
are the ones it filled in. Where that lost what was written, what was written counts.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.registry.dialects.engine_arguments import ENGINE_KWARGS, translate_engine_kwargs
from reconciler.registry.dialects.stopping_sequences import STOPPING_SEQUENCES
from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.imports.documents import embedded, with_embedded
from reconciler.registry.imports.imported import leave_out
from reconciler.registry.imports.oneblock_prompt import translate_prompt_format
from reconciler.registry.imports.oneblock_replicas import translate_replicas, translate_workers, with_numbers
from reconciler.registry.imports.oneblock_resources import Resource
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

NAME = "OneBlock"

SPEC: KeyPath = ("spec",)
_ENGINE: KeyPath = ("engine_config",)
_TYPES = ("VLLMEngine", "EmbeddingEngine")
_MIRRORS = {"s3://": "s3_mirror_config", "gs://": "gcs_mirror_config"}

_DEFAULT_SEQUENCES = 32
_DEFAULT_MEMORY_SHARE = 0.9
_NODES = "the nodes are KubeRay's: a model file says what one replica needs"


def model_id(version: Resource) -> str | None:
    """The id of the model that a version describes."""
    found = version.get("spec", "modelID") or version.get("spec", "engine_config", "model_id")
    return found if isinstance(found, str) else None


def translate_version(version: Resource, description: str | None) -> Translation:
    """The version in canonical form. `description` is the one of its template."""
    arguments = (*_engine_path(version), "vLLMArgs")
    document = version.document
    problems: tuple[Diagnostic, ...] = ()
    text = version.get(*(str(step) for step in arguments))
    if isinstance(text, str) and text.strip():
        inner, problems = embedded(version.source, arguments, text)
        if inner is not None:
            document = with_embedded(document, arguments, inner)
    translator = Translator(NAME, with_numbers(document))
    translator.diagnostics.extend(problems)
    for path in (("apiVersion",), ("kind",), ("metadata",)):
        if translator.has(path):
            translator.keep(path, "it says what the document is")
    _translate_identity(translator, _engine_path(version), description)
    _translate_engine(translator, _engine_path(version), parsed=document is not version.document)
    translate_replicas(translator)
    translate_workers(translator)
    if translator.has((*SPEC, "workerGroupSpec")):
        leave_out(translator, (*SPEC, "workerGroupSpec"), _NODES)
    if translator.has(("status",)):
        leave_out(translator, ("status",), "it is what OneBlock reported")
    return translator.finish()


def _engine_path(version: Resource) -> KeyPath:
    return (*SPEC, "engine_config" if version.get("spec", "engine_config") is not None else "engineConfig")


def _translate_identity(translator: Translator, engine: KeyPath, description: str | None) -> None:
    for target, sources in (
        ("model_id", ((*SPEC, "modelID"), (*engine, "model_id"))),
        ("hf_model_id", ((*SPEC, "hfModelID"), (*engine, "hf_model_id"))),
    ):
        for source in sources:
            if translator.get(*source) == "":
                translator.keep(source, "it is empty")
            else:
                translator.copy(source, (*_ENGINE, target))
    if "model_id" not in translator.value_at(_ENGINE):
        message, hint = "the version names no model", "write `modelID: organization/model`"
        translator.report(translator.position(SPEC), "missing-key", message, hint)
    if translator.has((*SPEC, "templateName")):
        translator.keep((*SPEC, "templateName"), "the comment of the file names the template")
    own = (*SPEC, "description")
    if translator.get(*own):
        translator.copy(own, (*_ENGINE, "model_description"))
    elif description:
        translator.put((*_ENGINE, "model_description"), description, translator.position(()))
    _translate_mirror(translator)


def _translate_mirror(translator: Translator) -> None:
    source = (*SPEC, "mirrorConfig")
    uri = translator.get(*source)
    if uri == "":
        translator.keep(source, "it is empty")
    elif uri is not None:
        key = next((key for scheme, key in _MIRRORS.items() if str(uri).startswith(scheme)), None)
        if key is None:
            message = f"`mirrorConfig` is no bucket: {quoted(uri)}"
            translator.refuse(source, "mirror-scheme", message, "write `s3://...` or `gs://...`")
        elif "hf_model_id" in translator.value_at(_ENGINE):
            message = "`hfModelID` and `mirrorConfig` both say where the weights come from"
            translator.refuse(source, "given-twice", message, "keep one of them, as OneBlock demanded")
        else:
            translator.copy(source, (*_ENGINE, key, "bucket_uri"))


def _translate_engine(translator: Translator, engine: KeyPath, *, parsed: bool) -> None:
    kind = translator.get(*engine, "type", default=_TYPES[0])
    if kind not in _TYPES:
        message = f"the engine {quoted(kind)} is not served"
        hint = "write `VLLMEngine` with the model's own weights, or `EmbeddingEngine`"
        translator.refuse((*engine, "type"), "not-a-choice", message, hint)
    else:
        translator.copy((*engine, "type"), (*_ENGINE, "type"))
    total, target = (*engine, "maxTotalTokens"), (*_ENGINE, "max_total_tokens")
    translator.copy(total, target)
    if not translator.has(total):
        translator.put(target, 2048 if kind == _TYPES[0] else 512, translator.position(engine))
    _translate_arguments(translator, (*engine, "vLLMArgs"), parsed=parsed)
    generation = (*engine, "generation")
    if kind != _TYPES[0]:
        return
    translate_prompt_format(translator, (*generation, "promptFormat"))
    stops = (*generation, "stoppingSequences")
    if translator.has(stops):
        translator.copy(stops, STOPPING_SEQUENCES)


def _translate_arguments(translator: Translator, source: KeyPath, *, parsed: bool) -> None:
    if isinstance(translator.get(*source), Mapping):
        translate_engine_kwargs(translator, source)
        return
    position = translator.position(source)
    if parsed or translator.get(*source) in (None, ""):
        total = translator.value_at(_ENGINE).get("max_total_tokens")
        defaults: dict[str, Any] = {
            "trust_remote_code": True,
            "max_num_batched_tokens": total,
            "max_num_seqs": _DEFAULT_SEQUENCES,
            "gpu_memory_utilization": _DEFAULT_MEMORY_SHARE,
        }
        for name, value in defaults.items():
            translator.put((*ENGINE_KWARGS, name), value, position)
        if translator.get(*source) == "":
            translator.keep(source, "it is empty: OneBlock then took arguments of its own")
    else:
        message, hint = "`vLLMArgs` is no mapping of engine arguments", "write YAML such as `max_num_seqs: 16`"
        translator.refuse(source, "wrong-type", message, hint)

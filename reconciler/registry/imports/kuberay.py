"""KubeRay manifests: the models of a `RayService`, whose `serveConfigV2` is a config of Ray Serve as text.

The cluster stays KubeRay's. Once `reconcile` deploys the models, `serveConfigV2` must go from the manifest, because the
operator would put it back.
"""

from typing import Any

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.dialects.translation import Fate, KeyFate, Translator
from reconciler.registry.document import Document
from reconciler.registry.imports.documents import SourceDocument, embedded, with_embedded
from reconciler.registry.imports.imported import Imported, leave_out, together
from reconciler.registry.imports.indexed_config import indexed
from reconciler.registry.imports.serve_config import import_applications
from reconciler.registry.imports.source import Find
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted

NAME = "KubeRay"

_GROUP = "ray.io/"
_CONFIG: KeyPath = ("spec", "serveConfigV2")
_EVERYWHERE = frozenset({"duplicate-key", "secret-in-clear"})
_NODES = "the cluster and its nodes stay KubeRay's"
_ADDRESS = "write the address of its dashboard in `clusters/<name>.yaml`"


def is_manifest(document: Document) -> bool:
    """Whether a document is a Kubernetes manifest."""
    return "apiVersion" in document.value and "kind" in document.value


def import_manifest(source: SourceDocument, find: Find) -> Imported:
    """The models of one manifest, or the reason why there are none."""
    assert source.document is not None
    value = source.document.value
    kind, is_ray = str(value["kind"]), str(value["apiVersion"]).startswith(_GROUP)
    if is_ray and kind == "RayService":
        return _service(source, find)
    if is_ray:
        hint = "a `RayService` lists them in `serveConfigV2`; " + _ADDRESS
        return _no_models(source.document, f"a {quoted(kind)} has nodes and no models", hint, Severity.ERROR)
    return _no_models(source.document, f"a {quoted(kind)} holds no models", None, Severity.WARNING)


def _service(source: SourceDocument, find: Find) -> Imported:
    document = source.document
    assert document is not None
    spec = document.value.get("spec")
    text: Any = spec.get("serveConfigV2") if isinstance(spec, dict) else None
    if not isinstance(text, str) or not text.strip():
        message = "the `RayService` has no `serveConfigV2` with applications"
        return _no_models(document, message, "only that form of the config lists several applications", Severity.ERROR)
    inner, problems = embedded(source, _CONFIG, text)
    if inner is None:
        fate = KeyFate(_CONFIG, document.positions[_CONFIG], Fate.REFUSED, None, "it is no YAML")
        return Imported((), (fate,), _relevant(source, problems))
    translator = Translator(NAME, indexed(with_embedded(document, _CONFIG, inner), _CONFIG))
    _translate_manifest(translator)
    parts = import_applications(translator, _CONFIG, find)
    if any(part.files for part in parts):
        message = "KubeRay puts the applications of `serveConfigV2` back, and would delete those of the registry"
        hint = "remove `serveConfigV2` from the manifest before the first `reconcile apply`"
        translator.warn(translator.position(_CONFIG), "two-masters", message, hint)
    translation = translator.finish()
    diagnostics = _relevant(source, (*problems, *translation.diagnostics))
    return together([Imported((), translation.fates, diagnostics), *parts])


def _translate_manifest(translator: Translator) -> None:
    for path in (("apiVersion",), ("kind",), ("metadata",)):
        if translator.has(path):
            translator.keep(path, "it says what the document is")
    for key in translator.keys(("spec",)):
        if key != "serveConfigV2" and translator.has(("spec", key)):
            leave_out(translator, ("spec", key), _NODES, _ADDRESS if key == "rayClusterConfig" else None)
    if translator.has(("status",)):
        leave_out(translator, ("status",), "it is what KubeRay reported")


def _relevant(source: SourceDocument, problems: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """The problems without spellings in parts that are not read: nothing of those gets into the registry."""
    return (*(problem for problem in source.diagnostics if problem.rule in _EVERYWHERE), *problems)


def _no_models(document: Document, message: str, hint: str | None, severity: Severity) -> Imported:
    position = document.positions[("kind",)]
    what = Fate.REFUSED if severity is Severity.ERROR else Fate.OBSOLETE
    fate = KeyFate(("kind",), position, what, None, message)
    return Imported((), (fate,), (Diagnostic(position, "no-model", message, hint, severity),))

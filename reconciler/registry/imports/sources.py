"""Any file to import from, told by what it holds."""

from collections.abc import Sequence

from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.registry.dialects.dialect import CANONICAL, dialect_of
from reconciler.registry.imports.byzer import import_arguments, import_script, is_script
from reconciler.registry.imports.byzer_file import is_arguments
from reconciler.registry.imports.checked_file import checked_file, shown_in_comment
from reconciler.registry.imports.documents import SourceDocument, parse_documents
from reconciler.registry.imports.git_history import History
from reconciler.registry.imports.imported import Imported, together
from reconciler.registry.imports.kuberay import import_manifest, is_manifest
from reconciler.registry.imports.oneblock import import_oneblock
from reconciler.registry.imports.oneblock_resources import Resource, is_oneblock, resource
from reconciler.registry.imports.serve_config import import_serve_config, is_serve_config
from reconciler.registry.imports.source import Find, Source

_KINDS = (
    "what can be imported: configs of Ray Serve and Anyscale services, `RayService` manifests, OneBlock documents, "
    "scripts that call `byzerllm`, and model files"
)


def import_sources(sources: Sequence[Source], find: Find, history: History) -> Imported:
    """The models of all sources together: OneBlock's documents may refer to each other across files."""
    parts: list[Imported] = []
    resources: list[Resource] = []
    for source in sources:
        if is_script(source.content.decode(errors="replace")) and not _is_yaml_name(source.file):
            parts.append(import_script(source, find))
            continue
        for document in parse_documents(source.file, source.content):
            found = resource(document)
            if found is not None:
                parts.append(Imported((), (), document.diagnostics))
                resources.append(found)
            else:
                parts.append(_import_document(source, document, find))
    if resources:
        parts.append(import_oneblock(resources, history))
    return together(parts)


def _is_yaml_name(file: str) -> bool:
    return file.endswith((".yaml", ".yml", ".json"))


def _import_document(source: Source, found: SourceDocument, find: Find) -> Imported:
    document = found.document
    if document is None:
        return Imported((), (), found.diagnostics)
    if is_oneblock(document):
        message, hint = "the document has no name", "write `metadata` with `name`"
        return Imported((), (), (*found.diagnostics, Diagnostic(document.positions[()], "missing-key", message, hint)))
    if is_manifest(document):
        return import_manifest(found, find)
    if is_serve_config(document):
        return _with(found, import_serve_config(document, find))
    if is_arguments(document):
        return _with(found, import_arguments(source, document))
    dialect = dialect_of(document)
    if dialect is not CANONICAL or "engine_config" in document.value:
        comments = [f"Imported from {shown_in_comment(source.file)}.", f"Format: {dialect.name}."]
        return _with(found, checked_file(document, dialect.translate(document), comments))
    problem = Diagnostic(document.positions[()], "no-model", "nothing here describes a model", _KINDS)
    return Imported((), (), (problem,))


def _with(found: SourceDocument, imported: Imported) -> Imported:
    """The import with what is wrong with its YAML, and without files where that is an error."""
    files = () if has_errors(found.diagnostics) else imported.files
    return Imported(files, imported.fates, (*found.diagnostics, *imported.diagnostics))

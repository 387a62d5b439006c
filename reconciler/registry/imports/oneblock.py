"""OneBlock's `ModelTemplate`, `ModelTemplateVersion` and `MLService` documents, as proposed and as built.

Several versions may describe one model. The one that an `MLService` names becomes the file, else the template's default
version, else the newest, as OneBlock chose; the others stay in git.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.dialects.translation import Fate, KeyFate, Translator
from reconciler.registry.imports.checked_file import checked_file, shown_in_comment
from reconciler.registry.imports.git_history import History
from reconciler.registry.imports.imported import Imported, leave_out, together
from reconciler.registry.imports.oneblock_history import VersionHistory, version_history
from reconciler.registry.imports.oneblock_resources import SERVICE, TEMPLATE, VERSION, Resource
from reconciler.registry.imports.oneblock_version import NAME, model_id, translate_version
from reconciler.registry.quoted import quoted

_REF = ("spec", "modelTemplateVersionRef")


def import_oneblock(resources: Sequence[Resource], history: History) -> Imported:
    """The models of all documents together, which may refer to each other across files."""
    versions = {each.key: each for each in resources if each.kind == VERSION}
    templates = {each.key: each for each in resources if each.kind == TEMPLATE}
    services = [each for each in resources if each.kind == SERVICE]
    told = version_history(resources, history)
    chosen = _chosen(versions, templates, services)
    parts = [
        *(_unknown(each) for each in resources if each.kind not in (TEMPLATE, VERSION, SERVICE)),
        *(_template(each, versions) for each in templates.values()),
        *(_service(each, versions, chosen) for each in services),
    ]
    for version in versions.values():
        if version.key in chosen.values() or model_id(version) is None:
            parts.append(_version(version, templates, told))
        else:
            parts.append(_not_chosen(version, versions[chosen[model_id(version) or ""]]))
    return together(parts)


def _chosen(
    versions: Mapping[tuple[str, str], Resource],
    templates: Mapping[tuple[str, str], Resource],
    services: Sequence[Resource],
) -> dict[str, tuple[str, str]]:
    """The version of each model that becomes its file, by model id."""
    chosen: dict[str, tuple[str, str]] = {}
    served = (_referred(service) for service in services)
    defaults = (
        template.refers(template.get("spec", "defaultVersionId"))
        for template in templates.values()
        if template.get("spec", "defaultVersionId")
    )
    for key in (*served, *defaults, *reversed(list(versions))):
        found = model_id(versions[key]) if key in versions else None
        if found is not None:
            chosen.setdefault(found, key)
    return chosen


def _referred(service: Resource) -> tuple[str, str]:
    return service.refers(service.get(*_REF, "name"), service.get(*_REF, "namespace"))


def _version(version: Resource, templates: Mapping[tuple[str, str], Resource], told: VersionHistory) -> Imported:
    name = version.get("spec", "templateName")
    template = templates.get(version.refers(name)) if name else None
    description = template.get("spec", "description") if template else None
    translation = translate_version(version, description if isinstance(description, str) else None)
    problems = list(translation.diagnostics)
    if name and template is None:
        message = f"the template {quoted(name)} is in none of the sources: its description is not known"
        place = version.place("spec", "templateName")
        problems.append(Diagnostic(place, "missing-reference", message, "import its file, too", Severity.WARNING))
    comments = [f"Imported from {shown_in_comment(version.document.file)}:{version.position.line}, OneBlock."]
    if isinstance(version.get("spec"), Mapping):
        change = told.change(version)
        problems.extend([change] if change else [])
        number = f"Version {told.number(version)} of the template {quoted(name or version.name)}"
        comments.append(f"{number}: {quoted(version.name)}.")
    return checked_file(version.document, replace(translation, diagnostics=tuple(problems)), comments)


def _not_chosen(version: Resource, chosen: Resource) -> Imported:
    message = f"the version {quoted(version.name)} is not the one that serves {quoted(model_id(version))}"
    hint = f"{quoted(chosen.name)} at {chosen.position} is imported; earlier versions stay in git"
    fate = KeyFate(("spec",), version.position, Fate.OBSOLETE, None, message)
    return Imported((), (fate,), (Diagnostic(version.position, "other-version", message, hint, Severity.WARNING),))


def _template(template: Resource, versions: Mapping[tuple[str, str], Resource]) -> Imported:
    translator = _translator(template)
    if translator.has(("spec", "description")):
        translator.keep(("spec", "description"), "it describes the models of the versions")
    default = template.get("spec", "defaultVersionId")
    path = ("spec", "defaultVersionId")
    if default and template.refers(default) in versions:
        translator.keep(path, "it chooses the version that is imported")
    elif default:
        message, hint = _missing_version(template.refers(default), versions)
        translator.refuse(path, "missing-reference", message, hint)
    return _told(translator)


def _service(
    service: Resource,
    versions: Mapping[tuple[str, str], Resource],
    chosen: Mapping[str, tuple[str, str]],
) -> Imported:
    translator = _translator(service)
    name = (*_REF, "name")
    if service.get(*name) is None:
        message, hint = "the service names no version", "write `modelTemplateVersionRef` with `name`"
        translator.report(service.place(*_REF), "missing-key", message, hint)
    elif _referred(service) not in versions:
        message, hint = _missing_version(_referred(service), versions)
        translator.refuse(name, "missing-reference", message, hint)
    elif _referred(service) not in chosen.values():
        message = f"another service serves {quoted(model_id(versions[_referred(service)]))} in another version"
        translator.refuse(name, "described-twice", message, "import the file of one of the services")
    else:
        translator.keep(name, "it chooses the version that is imported")
    if service.get(*_REF, "namespace") is not None:
        translator.keep((*_REF, "namespace"), "it is a part of the version's name")
    if translator.has(("spec", "hfSecretRef")):
        reason = "no file of the registry holds a token or names where one is kept"
        hint = "set `HF_TOKEN` in the environment of the cluster's nodes: Ray passes it on"
        leave_out(translator, ("spec", "hfSecretRef"), reason, hint)
    if translator.has(("spec", "mlClusterRef")):
        hint = "write the address of its dashboard in `clusters/<name>.yaml`"
        leave_out(translator, ("spec", "mlClusterRef"), "the cluster and its nodes are KubeRay's", hint)
    return _told(translator)


def _translator(resource: Resource) -> Translator:
    translator = Translator(NAME, resource.document)
    for path in (("apiVersion",), ("kind",), ("metadata",)):
        if translator.has(path):
            translator.keep(path, "it says what the document is")
    if translator.has(("status",)):
        leave_out(translator, ("status",), "it is what OneBlock reported")
    return translator


def _told(translator: Translator) -> Imported:
    translation = translator.finish()
    return Imported((), translation.fates, translation.diagnostics)


def _unknown(resource: Resource) -> Imported:
    message = f"OneBlock's {quoted(resource.kind)} describes no model"
    fate = KeyFate(("kind",), resource.place("kind"), Fate.REFUSED, None, message)
    hint = f"`{TEMPLATE}`, `{VERSION}` and `{SERVICE}` do"
    return Imported((), (fate,), (Diagnostic(resource.place("kind"), "no-model", message, hint),))


def _missing_version(wanted: tuple[str, str], versions: Mapping[tuple[str, str], Resource]) -> tuple[str, str]:
    known = {"/".join(key): key for key in versions}
    near = get_close_matches("/".join(wanted), known, n=1)
    hint = f"did you mean {quoted(near[0])}?" if near else "import its file, too"
    return f"the version {quoted('/'.join(wanted))} is in none of the sources", hint

"""`reconcile drift --accept`: what was changed on the cluster becomes what the registry says."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.session import Target
from reconciler.drift.applied import Applied, last_for
from reconciler.drift.compare import Background, find_drift
from reconciler.drift.report import DriftReport, Finding, FindingKind, Origin
from reconciler.registry.adoption import Adopted, NotAdoptable, adopt, differences
from reconciler.registry.imports.live import Running
from reconciler.registry.model_file import read_model
from reconciler.registry.registry import ModelEntry
from reconciler.state.application import Application
from reconciler.state.desired import DesiredState, desired_state
from reconciler.state.live import LiveState
from reconciler.state.names import GATEWAY_APPLICATION
from reconciler.views.printable import plural
from reconciler.views.values import short_path, shown


def accept_drift(
    target: Target, live: LiveState, report: DriftReport, applies: Sequence[Applied], console: Console
) -> bool:
    """Write what was changed on the cluster into the model files, and say what was written and what could not be.
    Whether all of it could be written."""
    drifted = [finding for finding in report.findings if _is_acceptable(finding)]
    written, refused = 0, 0
    for entry in target.registry.models_of(target.entry):
        try:
            changes = _changed_on_cluster(entry, target, live, applies)
            if changes:
                _write(entry, _adopted(entry, changes, target, live, applies), changes, console)
                written += 1
        except NotAdoptable as error:
            refused += 1
            console.error(f"{entry.file}: {error.message}", error.hint)
    if not written and not refused:
        console.note("nothing was changed on the cluster that a model file could say")
        return not drifted
    if written:
        console.note(f"{plural(written, 'file')} written; look at them with `git diff` and make a pull request of them")
    return not refused


def _is_acceptable(finding: Finding) -> bool:
    return finding.kind is FindingKind.CONFIG and finding.origin is not Origin.REGISTRY


def _changed_on_cluster(
    entry: ModelEntry, target: Target, live: LiveState, applies: Sequence[Applied]
) -> tuple[Adopted, ...]:
    """What is live against what was applied, or against the registry where that is not known."""
    name = _name(entry, target.desired)
    last = last_for(name, applies)
    base = target.desired if last is None or last.desired.application(name) is None else last.desired
    there = _running(_live_configs(live, name))
    if len(there) < 2:
        return ()
    expected = _running([one.application for one in base.applications if one.name in (GATEWAY_APPLICATION, name)])
    return differences(expected, there, target.desired.owner)


def _name(entry: ModelEntry, desired: DesiredState) -> str:
    return next(one.name for one in desired.applications if one.model is not None and one.model.file == entry.file)


def _live_configs(live: LiveState, name: str) -> list[Application]:
    found = (live.application(one) for one in (GATEWAY_APPLICATION, name))
    return [one.application for one in found if one is not None and one.application is not None]


def _running(applications: Iterable[Application]) -> list[Running]:
    return [Running(one.name, one.config, one.owner, one.name != GATEWAY_APPLICATION) for one in applications]


def _adopted(
    entry: ModelEntry, changes: Sequence[Adopted], target: Target, live: LiveState, applies: Sequence[Applied]
) -> str:
    """The file's new text, known to say what is live. Raises `NotAdoptable`."""
    if entry.dialect != "canonical":
        raise NotAdoptable(f"the file is in the format {entry.dialect}", f"run `reconcile migrate {entry.file}` first")
    text = adopt(Path(entry.file).read_bytes(), changes)
    again = read_model(entry.file, text.encode())
    if again.entry is None or again.diagnostics:
        problem = again.diagnostics[0].message if again.diagnostics else "it is no model"
        raise NotAdoptable(f"with what is live the file would be wrong: {problem}", "change it by hand")
    _check(again.entry, target, live, applies)
    return text


def _write(entry: ModelEntry, text: str, changes: Sequence[Adopted], console: Console) -> None:
    Path(entry.file).write_text(text, encoding="utf-8")
    for change in changes:
        key = ".".join(str(part) for part in change.path)
        console.out(f"{entry.file}: {key} = {shown(change.value, change.is_set)}\n")


def _check(entry: ModelEntry, target: Target, live: LiveState, applies: Sequence[Applied]) -> None:
    """Raises `NotAdoptable` when something would still differ that nobody merged."""
    models = tuple(entry if one.file == entry.file else one for one in target.registry.models)
    desired = desired_state(replace(target.registry, models=models), target.entry, target.uris)
    name = _name(entry, desired)
    left = [
        short_path(field.change.path)
        for finding in find_drift(desired, live, Background(applies)).findings
        if finding.application == name and finding.kind is FindingKind.CONFIG
        for field in finding.fields
        if field.origin is not Origin.REGISTRY
    ]
    if left:
        raise NotAdoptable(
            f"no model file can say what is live: {', '.join(f'`{path}`' for path in left)}",
            "`reconcile apply` brings the registry's values back",
        )

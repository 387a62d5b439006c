"""What a repair found, would do and did, for people."""

from collections.abc import Collection, Sequence

from reconciler.apply.repair import Proof
from reconciler.serve.stored import Remedy, StoredApplication, StoredState
from reconciler.views.printable import listed, plural, printable
from reconciler.views.style import PLAIN, Style

_REMEDIES = {
    Remedy.AS_IT_SERVES: "the config that its replicas run is stored again; they go on",
    Remedy.VALUES_AS_TEXT: "its environment variables are stored as text; Ray builds it, and a new version replaces "
    "what serves",
}


def findings_text(symptoms: Sequence[str], found: StoredState, drop: Collection[str], style: Style = PLAIN) -> str:
    """What is wrong, what would be done, and what survives."""
    lines = [style.bold("what is wrong")]
    lines += [f"  {printable(text)}" for text in symptoms]
    lines.append(
        f"  the Serve controller {'lives' if found.controller_lives else 'is gone, and cannot come back as is'}"
    )
    lines += [
        f"  the stored config of {printable(entry.name)} cannot be built: {printable(entry.fault or '')}"
        for entry in found.faulty
    ]
    lines += ["", style.bold("what would be done")]
    lines += [f"  {printable(entry.name)}: {_deed(entry, drop)}" for entry in found.faulty]
    if found.controller_lives:
        lines.append("  the stored configs are sent once more, with these mended")
    else:
        lines.append("  a controller is started, and takes over what runs")
    lines += ["", style.bold("what survives")]
    lines += [f"  {_survivor(entry, drop)}" for entry in found.applications if entry.name not in drop]
    lines += [
        f"  {printable(name)}: deployed by a program; comes back with the controller" for name in found.imperative
    ]
    return "\n".join(lines) + "\n"


def _deed(entry: StoredApplication, drop: Collection[str]) -> str:
    if entry.name in drop:
        return f"deleted, {plural(len(entry.replica_ids), 'replica')} stopped"
    return _REMEDIES[entry.remedy] if entry.remedy else "nothing is known that could take its place"


def _survivor(entry: StoredApplication, drop: Collection[str]) -> str:
    count = len(entry.replica_ids)
    fate = "replaced by the new version" if entry.remedy is Remedy.VALUES_AS_TEXT else "kept"
    replicas = f"{plural(count, 'replica')} {fate}" if count else "no replica lives"
    return f"{printable(entry.name)}: its config, {replicas}"


def proof_text(proof: Proof, style: Style = PLAIN) -> str:
    """What stands there after the repair."""
    if proof.missing:
        lines = [style.red("not everything is back:"), *(f"  {printable(text)}" for text in proof.missing)]
        return "\n".join(lines) + "\n"
    kept = f"{plural(proof.replicas, 'replica')} of before {'goes' if proof.replicas == 1 else 'go'} on"
    return f"{style.green('repaired')}: Serve lists {listed(proof.applications)}; {kept}\n"

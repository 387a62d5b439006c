"""What an import brought: a line for each file, and the sum of what became of the keys."""

from collections import Counter
from collections.abc import Iterable, Sequence

from reconciler.registry.dialects.translation import Fate, KeyFate
from reconciler.registry.imports.placement import Place, Placed
from reconciler.views.printable import plural, printable
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table

_FATES = (Fate.MAPPED, Fate.METADATA, Fate.OBSOLETE, Fate.REFUSED)
_WORDS = {Fate.OBSOLETE: "left out"}


def import_text(
    placed: Sequence[Placed],
    fates: Iterable[KeyFate],
    untouched: Sequence[str] = (),
    *,
    dry_run: bool,
    style: Style = PLAIN,
) -> str:
    """The summary; in a dry run with the text of every file that would be written."""
    words = {
        Place.NEW: "would write" if dry_run else "written",
        Place.UNCHANGED: "unchanged",
        Place.TAKEN: "not written",
    }
    rows = [
        (words[each.place], printable(each.path), printable(f"from {each.file.origin.file}:{each.file.origin.line}"))
        for each in placed
    ]
    rows.extend(("untouched", printable(name), "the registry's own") for name in untouched)
    lines = table(rows)
    if dry_run:
        for each in placed:
            if each.place is Place.NEW:
                lines += ["", style.bold(f"{printable(each.path)}:"), "", each.file.text.rstrip("\n")]
    if lines:
        lines.append("")
    return "\n".join([*lines, _sum(placed, fates, dry_run)]) + "\n"


def _sum(placed: Sequence[Placed], fates: Iterable[KeyFate], dry_run: bool) -> str:
    new = sum(each.place is Place.NEW for each in placed)
    verb = "to write" if dry_run else "written"
    counts = Counter(fate.fate for fate in fates)
    keys = ", ".join(f"{counts[fate]} {_WORDS.get(fate, fate.value)}" for fate in _FATES if counts[fate])
    return f"{plural(new, 'file')} {verb}" + (f"; of the keys {keys}" if keys else "")

"""What a model file means, for people: every key with its line, what becomes of it, and why."""

import json
from collections import Counter

from reconciler.registry.dialects.translation import Fate, KeyFate, dotted
from reconciler.registry.explanation import Added, Explanation
from reconciler.views.printable import cut, plural, printable
from reconciler.views.style import PLAIN, Style
from reconciler.views.table import table

_SAME = "stays"
_VALUE_WIDTH = 60


def explain_text(explanation: Explanation, style: Style = PLAIN) -> str:
    """The dialect, one line per key, what the file did not say, and how many keys there are of each fate."""
    lines = [style.bold(f"{printable(explanation.file)}: {explanation.dialect}"), ""]
    rows = [("line", "key", "what becomes of it", "why")]
    rows += [
        (str(fate.position.line), printable(dotted(fate.path)), _becomes(fate, style), printable(fate.reason or ""))
        for fate in explanation.fates
    ]
    header, *body = table(rows, right=(0,))
    lines += [style.dim(header), *body]
    if explanation.added:
        lines += ["", "Nothing in the file says these; they are what it meant:"]
        lines += table([(printable(added.target), _value(added)) for added in explanation.added], indent="  ")
    return "\n".join([*lines, "", _summary(explanation)]) + "\n"


def _becomes(fate: KeyFate, style: Style) -> str:
    if fate.fate is Fate.MAPPED:
        return style.dim(_SAME) if fate.target == dotted(fate.path) else printable(str(fate.target))
    paint = {Fate.METADATA: style.dim, Fate.OBSOLETE: style.yellow, Fate.REFUSED: style.red}[fate.fate]
    return paint(fate.fate.value)


def _value(added: Added) -> str:
    return cut(printable(json.dumps(added.value, ensure_ascii=False)), _VALUE_WIDTH)


def _summary(explanation: Explanation) -> str:
    counts = Counter(fate.fate for fate in explanation.fates)
    parts = ", ".join(f"{counts[fate]} {fate.value}" for fate in Fate if counts[fate])
    return f"{plural(len(explanation.fates), 'key')}: {parts}"

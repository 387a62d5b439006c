"""Diagnostics as a JUnit report, which CI systems show as tests: one case for each problem, and one for each file that
has none.

There is no one schema of the format; only what all of them have is used: `testsuites`, `testsuite`, `testcase` with
`name`, `classname` and `time`, `failure` and `skipped`.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from reconciler.diagnostics import Diagnostic, Severity


def diagnostics_junit(
    diagnostics: Sequence[Diagnostic],
    files: Sequence[str],
    *,
    strict: bool = False,
    suite_name: str = "reconcile validate",
) -> str:
    """One XML document. A warning is a skipped test, or a failed one with `strict`."""
    failures = sum(strict or diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    with_problems = {diagnostic.position.file for diagnostic in diagnostics}
    clean = [file for file in files if file not in with_problems]
    counts = {
        "tests": str(len(diagnostics) + len(clean)),
        "failures": str(failures),
        "errors": "0",
        "time": "0",
    }
    top = ET.Element("testsuites", {"name": suite_name, **counts})
    suite = ET.SubElement(top, "testsuite", {"name": suite_name, **counts, "skipped": str(len(diagnostics) - failures)})
    for diagnostic in diagnostics:
        position = diagnostic.position
        case = _case(suite, position.file, f"{diagnostic.rule} {position.line}:{position.column}")
        if strict or diagnostic.severity is Severity.ERROR:
            failure = ET.SubElement(case, "failure", {"type": diagnostic.rule, "message": diagnostic.message})
            hint = f"\nhint: {diagnostic.hint}" if diagnostic.hint else ""
            failure.text = f"{position}: {diagnostic.severity.value}: {diagnostic.message}{hint}"
        else:
            ET.SubElement(case, "skipped", {"message": f"warning: {diagnostic.message}"})
    for file in clean:
        _case(suite, file, "no problems")
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode") + "\n"


def _case(suite: ET.Element, file: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", {"classname": file, "name": name, "time": "0"})

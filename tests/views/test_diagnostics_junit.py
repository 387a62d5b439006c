"""JUnit reports: structure and counts, and the schema of Jenkins' xUnit plugin."""

from xml.etree import ElementTree as ET

import pytest
from xmlschema import XMLSchema10

from reconciler.diagnostics import Diagnostic, Position, Severity
from reconciler.views.diagnostics_junit import diagnostics_junit
from tests.support.published import junit_schema

PROBLEMS = (
    Diagnostic(Position("registry/a.yaml", 3, 5), "unknown-key", 'the key `x<y>&"z"` is not known', "remove it"),
    Diagnostic(Position("registry/a.yaml", 4, 1), "served-nowhere", "no cluster", None, Severity.WARNING),
    Diagnostic(Position("registry/b.yaml", 1, 1), "policy/limits", "文字 too many"),
)
FILES = ("registry/a.yaml", "registry/b.yaml", "registry/c.yaml", "registry/clusters/gpu.yaml")
ATTRIBUTES = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": ({"name", "classname", "time"}, {"failure", "skipped"}),
    "failure": ({"type", "message"}, set()),
    "skipped": ({"message"}, set()),
}


def suite_of(text: str) -> ET.Element:
    """The only suite of a report whose structure is right and whose counts agree."""
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    top = ET.fromstring(text.encode())
    assert top.tag == "testsuites"
    for element in top.iter():
        attributes, children = ATTRIBUTES[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
        assert all(element.attrib[name].isdecimal() for name in attributes & {"tests", "failures", "errors", "skipped"})
    [suite] = top
    cases = list(suite)
    counted = {"tests": len(cases), "errors": 0}
    counted["failures"] = sum(case.find("failure") is not None for case in cases)
    counted["skipped"] = sum(case.find("skipped") is not None for case in cases)
    assert {name: int(suite.attrib[name]) for name in counted} == counted
    assert all(top.attrib[name] == suite.attrib[name] for name in ("tests", "failures", "errors"))
    return suite


def test_a_problem_is_a_failed_case_and_a_warning_a_skipped_one() -> None:
    suite = suite_of(diagnostics_junit(PROBLEMS, FILES))
    outcomes = [(case.attrib["classname"], case.attrib["name"], [child.tag for child in case]) for case in suite]
    assert outcomes == [
        ("registry/a.yaml", "unknown-key 3:5", ["failure"]),
        ("registry/a.yaml", "served-nowhere 4:1", ["skipped"]),
        ("registry/b.yaml", "policy/limits 1:1", ["failure"]),
        ("registry/c.yaml", "no problems", []),
        ("registry/clusters/gpu.yaml", "no problems", []),
    ]


def test_a_failure_says_everything() -> None:
    failure = suite_of(diagnostics_junit(PROBLEMS, FILES)).find("testcase/failure")
    assert failure is not None
    assert failure.attrib == {"type": "unknown-key", "message": 'the key `x<y>&"z"` is not known'}
    assert failure.text == 'registry/a.yaml:3:5: error: the key `x<y>&"z"` is not known\nhint: remove it'


def test_warnings_fail_when_strict() -> None:
    assert suite_of(diagnostics_junit(PROBLEMS, FILES, strict=True)).attrib["failures"] == "3"


def test_nothing_at_all_is_an_empty_suite() -> None:
    assert suite_of(diagnostics_junit((), ())).attrib["tests"] == "0"


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("problems", [PROBLEMS, ()])
def test_the_published_schema_takes_it(problems: tuple[Diagnostic, ...], strict: bool) -> None:
    XMLSchema10(junit_schema()).validate(ET.fromstring(diagnostics_junit(problems, FILES, strict=strict).encode()))


def test_the_published_schema_refuses_what_is_none_of_its() -> None:
    report = diagnostics_junit(PROBLEMS, FILES).replace("<failure", "<mishap").replace("</failure", "</mishap")
    assert not XMLSchema10(junit_schema()).is_valid(ET.fromstring(report.encode()))

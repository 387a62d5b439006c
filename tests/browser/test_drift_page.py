"""The drift page in a real browser: it opens, filters, fits a phone and can be used by everybody."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.diagnostics import Position
from reconciler.drift.report import (
    DriftField,
    DriftReport,
    Expected,
    Finding,
    FindingKind,
    Ignored,
    Member,
    Origin,
    Severity,
    Standing,
)
from reconciler.plan.change import Impact
from reconciler.state.accelerators import Accelerator
from reconciler.views.drift_html import drift_html
from tests.support import photograph, samples
from tests.support.browser import chromium

SCRIPT = '<script>document.title="owned"</script><img src=x onerror=alert(1)>'
PHONE = {"width": 360, "height": 740}


def member(number: int, standing: Standing) -> Member:
    name = f"acme--model-with-quite-a-long-name-{number}"
    position = Position(f"registry/{name}.yaml", 1, 1)
    return Member(name, name.replace("--", "/"), standing, "RUNNING", 2, 2, 1, 8, 4.0, "A100-80G", position)


def finding(name: str, origin: Origin, severity: Severity, **more: Any) -> Finding:
    field = samples.field("deployments[LLMServer:x].max_ongoing_requests", 3, 64, Impact.IN_PLACE)
    long = samples.field("args.llm_config.engine_kwargs.chat_template", "x" * 300, SCRIPT, Impact.ROLLING_RESTART)
    fields = (DriftField(field, origin, 32, origin is Origin.BOTH), DriftField(long, origin))
    return Finding(
        FindingKind.CONFIG,
        name,
        f"2 fields {origin.value} {SCRIPT}",
        "`reconcile apply` brings it back",
        severity,
        origin,
        fields,
        Position(f"registry/{name}.yaml", 7, 3),
        "2026-05-01T12:00:00+00:00",
        **more,
    )


def report() -> DriftReport:
    members = [member(number, Standing.IN_SYNC) for number in range(20)]
    drifted, pending, failing = (
        member(20, Standing.DRIFTED),
        member(21, Standing.PENDING),
        member(22, Standing.FAILING),
    )
    sick = Finding(
        FindingKind.HEALTH, failing.application, "UNHEALTHY: out of memory", "look", Severity.ERROR, Origin.CLUSTER
    )
    return DriftReport(
        "gpus",
        (
            finding(drifted.application, Origin.BOTH, Severity.ERROR),
            finding(pending.application, Origin.REGISTRY, Severity.NOTE),
            sick,
            Finding(FindingKind.UNMANAGED, SCRIPT, "deployed by somebody else", "", Severity.NOTE),
        ),
        tuple(one.application for one in members),
        expected=(Expected(members[0].application, "replicas", "the autoscaler runs 2 replicas of 1 to 8"),),
        ignored=(Ignored(sick, f"an experiment {SCRIPT}"),),
        fleet=(*members, drifted, pending, failing),
        accelerators=(Accelerator("A100-80G", 64, 40, 48, 96), Accelerator("L4", 8, 0, 0, 0)),
        applied_commit="c" * 40,
        applied_time="2026-04-30T08:00:00+00:00",
        registry_commit="d" * 40,
        ray_version="2.60.0",
        time="2026-05-01T12:30:00+00:00",
    )


def earlier() -> list[DriftReport]:
    now = report()
    return [
        replace(now, time=f"2026-04-{day:02}T00:00:00+00:00", findings=found)
        for day, found in ((1, ()), (2, now.findings[:1]), (3, now.findings))
    ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "drift.html"
    path.write_text(drift_html(report(), earlier()), encoding="utf-8")
    return path


class Opened:
    """The page in a new context, with everything that it asked for or complained about."""

    def __init__(self, browser: Any, file: Path, **context: Any) -> None:
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.told: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def rows(self) -> int:
        return int(self.page.locator(".fleet tbody tr:visible").count())

    def articles(self) -> int:
        return int(self.page.locator("article:visible").count())


@pytest.fixture
def open_page(browser: Any, file: Path) -> Iterator[Any]:
    opened: list[Opened] = []

    def open_(**context: Any) -> Opened:
        opened.append(Opened(browser, file, **context))
        return opened[-1]

    yield open_
    for one in opened:
        one.context.close()


def test_it_opens_without_a_complaint_and_asks_for_nothing(open_page: Any, file: Path) -> None:
    opened = open_page()
    assert opened.page.title() == "Drift of gpus"
    assert opened.told == []
    assert opened.asked == [file.as_uri()]
    assert opened.page.locator(".verdict").inner_text() == "Drift: 2 config, 1 health"
    assert (opened.rows(), opened.articles()) == (23, 3)


def test_what_people_wrote_is_text(open_page: Any) -> None:
    page = open_page().page
    assert page.locator("main script, main img").count() == 0
    assert page.locator("article p", has_text="<script>").count() == 2


def test_chips_and_search_filter_models_and_findings(open_page: Any) -> None:
    opened = open_page()
    page = opened.page
    page.get_by_role("button", name="1 drifted").click()
    assert (opened.rows(), opened.articles()) == (1, 1)
    page.get_by_role("button", name="1 failing").click()
    assert (opened.rows(), opened.articles()) == (2, 2)
    page.get_by_role("button", name="1 drifted").click()
    page.get_by_role("button", name="1 failing").click()
    page.get_by_role("searchbox").fill("name-22 MEMORY")
    assert (opened.rows(), opened.articles()) == (0, 1)
    page.get_by_role("searchbox").fill("no such thing")
    assert page.locator("#none").is_visible()
    page.get_by_role("searchbox").fill("")
    assert (opened.rows(), opened.articles()) == (23, 3)
    assert page.locator("#none").is_hidden()


def test_the_keyboard_is_enough(open_page: Any) -> None:
    opened = open_page()
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.filter") == "in sync"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert opened.rows() == 1
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1400, "height": 900}])
def test_nothing_is_wider_than_the_screen(open_page: Any, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport).page
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, {"width": 1400, "height": 900}])
def test_axe_finds_nothing(open_page: Any, scheme: str, viewport: dict[str, int]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_page(color_scheme=scheme, viewport=viewport, bypass_csp=True).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    results = axe.Axe().run(page)
    assert [violation["id"] for violation in results.response["violations"]] == []


def test_paper_shows_everything_and_no_controls(open_page: Any) -> None:
    opened = open_page()
    opened.page.emulate_media(media="print")
    opened.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator(".controls").is_hidden()
    assert opened.page.locator("details li:visible").count() == 3


def test_it_says_all_without_its_script(browser: Any, file: Path) -> None:
    opened = Opened(browser, file, java_script_enabled=False)
    assert opened.page.locator(".controls").is_hidden()
    assert (opened.rows(), opened.articles()) == (23, 3)
    opened.context.close()


def test_earlier_reports_are_the_history(open_page: Any) -> None:
    page = open_page().page
    assert page.locator("rect.column").count() == 4
    assert [row.split("\t")[1] for row in page.locator("#history ~ .scroll tbody tr").all_inner_texts()] == [
        "3",
        "3",
        "1",
        "0",
    ]


def test_the_picture_in_the_readme_shows_the_page_of_today() -> None:
    assert photograph.remembered() == photograph.digest(photograph.page()), (
        "take it again: python -m tests.support.photograph"
    )


def test_a_model_leads_to_its_finding_and_the_worst_comes_first(browser: Any, tmp_path: Path) -> None:
    whole = tmp_path / "whole.html"
    whole.write_text(photograph.page(), encoding="utf-8")
    opened = Opened(browser, whole, viewport=PHONE)
    chips = opened.page.locator("article .chip").all_inner_texts()
    assert chips == ["error", "error", "warning", "warning", "warning", "note"]
    opened.page.locator(".fleet a", has_text="failing").click()
    target = opened.page.evaluate("document.querySelector(location.hash + ' h3').innerText")
    assert target == "Qwen--Qwen3-32B health"
    assert opened.page.locator(".fleet .runs", has_text="vllm 0.29.0").count() == 5
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert opened.told == []
    opened.context.close()

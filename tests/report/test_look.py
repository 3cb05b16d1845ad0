"""How the page looks: for screen readers, on narrow screens, on paper, in the dark."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from oumi.report.write import write_report
from tests.report.conftest import OpenReport
from tests.report.runs import tickets, write_run

PLACES = ("#/overview/0", "#/rows/0", "#/rows/0/8", "#/failures/0", "#/properties/0")
COMPARED = (*PLACES, "#/compare/0", "#/compare/0/3")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("look")
    one = write_run(folder / "one.jsonl", tickets(120))
    return write_report([one, write_run(folder / "other.jsonl", tickets(120, seed=2, lean=0.2))])


def visit(page: Page, place: str) -> None:
    page.goto(page.url.split("#")[0] + place)
    view = place.split("/")[1]
    expect(page.locator(f"body[data-view={view}]")).to_be_attached()
    if place.count("/") == 3:
        expect(page.locator(".detail .message").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(report: Path, open_report: OpenReport, scheme: str) -> None:
    page = open_report(report, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    found = []
    for place in COMPARED:
        visit(page, place)
        result = Axe().run(page, options={"resultTypes": ["violations"]})
        for violation in result.response["violations"]:
            found += [(place, violation["id"], node["html"][:200]) for node in violation["nodes"]]
    assert not found


def test_nothing_is_wider_than_a_narrow_screen(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, viewport={"width": 400, "height": 800})
    for place in COMPARED:
        visit(page, place)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, place


def test_colors_follow_the_system_and_the_button(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="Light or dark").click()
    light = page.evaluate(background)
    assert light != dark
    page.emulate_media(color_scheme="light")
    assert page.evaluate(background) == light


def test_a_row_is_printed_without_what_is_clicked(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/rows/0/8")
    expect(page.locator(".detail .message").first).to_be_visible()
    page.emulate_media(media="print")
    for hidden in (".filter-bar", ".tabs", ".table", ".row-head .actions"):
        expect(page.locator(hidden).first).to_be_hidden()
    expect(page.locator(".message.assistant").first).to_be_visible()

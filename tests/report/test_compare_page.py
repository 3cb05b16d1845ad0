"""Several runs side by side, in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from oumi.report.write import write_report
from tests.report.conftest import OpenReport
from tests.report.runs import talk, tickets, write_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    seeds = {"a.jsonl": (1, 0.0), "b.jsonl": (2, 0.3), "c.jsonl": (3, 0.1)}
    return [
        write_run(folder / name, tickets(150, seed=seed, lean=lean))
        for name, (seed, lean) in seeds.items()
    ]


def topics(run: Path) -> dict[str, str]:
    rows = [json.loads(line) for line in run.read_text().splitlines()]
    return {r["conversation_id"]: json.loads(r["messages"][-1]["content"])["topic"] for r in rows}


def test_agreement_is_that_of_the_answers(runs: list[Path], open_report: OpenReport) -> None:
    page = open_report(write_report(runs), "#/compare/0")
    one, other = topics(runs[0]), topics(runs[1])
    both = one.keys() & other.keys()
    equal = sum(one[name] == other[name] for name in both)
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="topic"))
    expect(row).to_contain_text(f"{equal} of {len(both)}")
    figures = page.get_by_role("region", name="Figures of the runs")
    expect(figures).to_contain_text("c.jsonl")
    failed = [
        json.loads(run.with_name(run.name + ".run.json").read_text())["failed"] for run in runs
    ]
    cells = figures.get_by_role("row").filter(has=page.get_by_role("rowheader", name="failed"))
    assert cells.get_by_role("cell").all_inner_texts() == [str(count) for count in failed]


def test_differences_are_marked_word_by_word(tmp_path: Path, open_report: OpenReport) -> None:
    def run(name: str, *answers: str) -> Path:
        rows = [
            talk({"role": "user", "content": f"q{i}"}, {"role": "assistant", "content": text})
            for i, text in enumerate(answers)
        ]
        return write_run(tmp_path / name, rows)

    one = run("one.jsonl", "The quick brown fox", "same")
    other = run("other.jsonl", "The slow brown dog", "same")
    page = open_report(write_report([one, other]), "#/compare/0")
    expect(page.locator(".count")).to_have_text("2 of 2 rows")
    page.get_by_role("button", name=re.compile("^different")).click()
    expect(page.locator(".count")).to_have_text("1 of 2 rows")
    page.keyboard.press("j")
    marks = page.locator(".column mark")
    expect(marks).to_have_text(["quick", "fox", "slow", "dog"])
    expect(page.locator(".message.user")).to_contain_text("q0")
    page.get_by_role("button", name="Open").nth(1).click()
    expect(page.locator(".row-head h2")).to_contain_text("Row 0")
    assert page.url.endswith("#/rows/1/0")


def test_samples_of_one_row_stand_together(tmp_path: Path, open_report: OpenReport) -> None:
    rows = [
        talk(
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": f"answer {i}"},
            conversation_id="q",
        )
        for i in range(3)
    ]
    one = write_run(tmp_path / "one.jsonl", rows)
    other = write_run(tmp_path / "other.jsonl", rows[:1])
    page = open_report(write_report([one, other]), "#/compare/0/0")
    expect(page.locator(".column").first.locator(".message")).to_have_count(3)
    expect(page.locator(".column").nth(1).locator(".message")).to_have_count(1)

"""The page in a real browser: its figures, its rows, search, order, filters, keys and links."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from oumi.report.write import write_report
from tests.report.conftest import OpenReport
from tests.report.runs import talk, tickets, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("run") / "out.jsonl", tickets(1200))


@pytest.fixture(scope="module")
def report(run: Path) -> Path:
    return write_report([run])


def tile(page: Page, label: str) -> str:
    found = page.locator(".tile", has=page.get_by_text(label, exact=True))
    return found.locator(".value").inner_text()


def column(page: Page, number: int) -> list[str]:
    """The cells of a column that are seen, from the top."""
    rows = page.locator("[role=row][aria-rowindex]").all()
    cells = {}
    for row in rows:
        index = int(row.get_attribute("aria-rowindex") or 0)
        cells[index] = row.locator("[role=gridcell], [role=columnheader]").nth(number).inner_text()
    return [cells[index] for index in sorted(cells) if index > 1]


def test_figures_are_those_of_run_json(report: Path, run: Path, open_report: OpenReport) -> None:
    summary = json.loads(run.with_name("out.jsonl.run.json").read_text())
    page = open_report(report)
    assert tile(page, "rows") == f"{summary['rows']:,}"
    assert tile(page, "done") == f"{summary['done']:,}"
    assert tile(page, "failed") == f"{summary['failed']:,}"
    notes = page.locator(".tile", has=page.get_by_text("tokens in", exact=True)).inner_text()
    assert f"{summary['usage']['prompt_tokens']:,}" in notes
    assert f"{summary['usage']['cached_tokens']:,} read from a cache" in notes
    notes = page.locator(".tile", has=page.get_by_text("tokens out", exact=True)).inner_text()
    assert f"{summary['usage']['completion_tokens']:,}" in notes
    assert tile(page, "cost") == f"${summary['cost_usd']:.2g}"
    titles = page.locator(".chart figcaption h2").all_inner_texts()
    assert page.locator(".canvas canvas").count() == len(titles)
    assert set(titles) >= {
        "First token over time",
        "Time to the first token",
        "Tries made again, a second (last call)",
        "Requests in flight (last call)",
        "Starts allowed, a second (last call)",
        "Waits for limits and failed tries",
    }
    assert tile(page, "waited p50").endswith("ms")
    expect(page.get_by_role("table", name="Tries made again")).to_contain_text("429")
    expect(page.locator(".settings")).to_contain_text("--generation.max_new_tokens 256")


def test_rows_are_sorted_filtered_and_counted(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/rows/0")
    assert column(page, 0)[:4] == ["0", "1", "2", "3"]
    page.get_by_role("columnheader", name="out").get_by_role("button").click()
    tokens = [int(text) for text in column(page, 4)]
    assert tokens == sorted(tokens)
    page.get_by_role("columnheader", name="out").get_by_role("button").click()
    tokens = [int(text) for text in column(page, 4)]
    assert tokens == sorted(tokens, reverse=True)
    page.get_by_role("button", name=re.compile("^failed")).click()
    assert set(column(page, 1)) == {"failed"}
    page.get_by_role("button", name=re.compile("^all")).click()
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Column", exact=True).select_option("property:topic")
    page.get_by_label(re.compile("^billing")).check()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".chip")).to_have_text("topic: billing✕")
    assert all('"billing"' in text for text in column(page, 3))
    page.get_by_role("button", name="Remove the filter").click()
    expect(page.locator(".count")).to_have_text("1,200 rows")


def test_search_finds_texts_and_not_names_of_fields(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/rows/0")
    page.keyboard.press("/")
    page.keyboard.type("TICKET 2199.")
    expect(page.locator(".count")).to_have_text("1 of 1,200 rows")
    assert column(page, 0) == ["1199"]
    page.get_by_label("Search all text").fill("recorded_at")
    expect(page.locator(".count")).to_have_text("0 of 1,200 rows")
    page.get_by_label("Search all text").fill("")
    expect(page.locator(".count")).to_have_text("1,200 rows")


def test_keys_open_rows_and_go_on(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/rows/0")
    heading = page.locator(".row-head h2")
    page.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(heading).to_contain_text("Row 1 ticket-0001")
    page.keyboard.press("j")
    expect(heading).to_contain_text("Row 2")
    page.keyboard.press("k")
    expect(heading).to_contain_text("Row 1")
    page.keyboard.press("Escape")
    expect(heading).to_be_hidden()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(heading).to_contain_text("Row 1199")
    page.go_back()
    expect(heading).to_be_hidden()


def test_rows_far_down_stand_at_equal_distances(tmp_path: Path, open_report: OpenReport) -> None:
    output = tmp_path / "out.jsonl"
    line = '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}'
    output.write_text(f"{line}\n" * 45_000)
    page = open_report(write_report([output]), "#/rows/0")
    page.locator(".list").evaluate("list => { list.scrollTop = 1_500_001; }")
    expect(page.locator(".cells.row").first).to_contain_text("441")
    rows = page.locator(".cells.row")
    tops = rows.evaluate_all("rows => rows.map((row) => row.getBoundingClientRect().top)")
    assert {b - a for a, b in pairwise(sorted(tops))} == {34}
    page.get_by_role("grid").focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.locator(".row-head h2")).to_contain_text("Row 44999")


def test_an_address_opens_its_row(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/rows/0/777")
    expect(page.locator(".row-head h2")).to_contain_text("ticket-0777")
    expect(page.locator("[aria-selected=true]")).to_contain_text("777")
    page.goto(report.resolve().as_uri() + "#/rows/0/4000")
    expect(page.locator(".detail")).to_contain_text("not in this file")


def test_a_repaired_row_shows_its_earlier_answers(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/rows/0")
    page.get_by_role("button", name=re.compile("^repaired")).click()
    page.locator(".cells.row").first.click()
    page.get_by_text("Earlier answers").click()
    expect(page.locator(".earlier")).to_contain_text("Sure! It is about…")
    expect(page.locator(".earlier .problem")).to_contain_text("not JSON")


def test_failures_stand_together_with_what_helps(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/failures/0")
    groups = page.locator(".failure-group")
    expect(groups).to_have_count(2)
    limited = groups.filter(has_text="status 429")
    expect(limited).to_contain_text("remote_params.requests_per_minute")
    shown = limited.get_by_role("button", name="in the table")
    count = re.sub(r"\D", "", shown.inner_text())
    shown.click()
    expect(page.locator(".count")).to_have_text(f"{count} of 1,200 rows")
    assert set(column(page, 1)) == {"failed"}


def test_answers_are_distributed_by_property(
    report: Path, run: Path, open_report: OpenReport
) -> None:
    page = open_report(report, "#/properties/0")
    rows = [json.loads(line) for line in run.read_text().splitlines()]
    answers = [json.loads(row["messages"][-1]["content"]) for row in rows]
    billing = sum(answer["topic"] == "billing" for answer in answers)
    values = page.get_by_role("table", name="Values of topic").get_by_role("row")
    expect(values.filter(has_text="billing")).to_contain_text(str(billing))
    missing = sum(answer["order"] is None for answer in answers) / len(answers)
    order = page.locator(".property", has=page.get_by_role("heading", name="order", exact=True))
    expect(order).to_contain_text(f"null {100 * missing:.1f} %".replace(".0 %", " %"))


def test_a_conversation_is_a_chat(tmp_path: Path, open_report: OpenReport) -> None:
    call = {"id": "a", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501
    image = [{"type": "image_binary", "binary": pixel}, {"type": "text", "content": "Weather?"}]
    row = talk(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": image},
        {"role": "assistant", "content": None, "reasoning_content": "Ask.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": '{"sky": "rain"}'},
        {
            "role": "assistant",
            "content": "# Rain\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n- x\n- y",
        },
    )
    page = open_report(write_report([write_run(tmp_path / "out.jsonl", [row])]), "#/rows/0/0")
    assert page.locator(".message").count() == 4  # the result stands in its call
    expect(page.locator(".call .result")).to_contain_text("rain")
    expect(page.locator(".thoughts .text")).to_be_hidden()
    expect(page.locator(".message.system .body")).to_be_hidden()
    assert (
        page.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    )
    expect(page.locator(".md h3")).to_have_text("Rain")
    expect(page.locator(".md td strong")).to_have_text("2")
    expect(page.locator(".md li")).to_have_text(["x", "y"])
    page.get_by_text("Raw JSON").click()
    raw = page.locator(".raw .code").inner_text()
    assert json.loads(raw)["conversation"]["messages"][3]["content"] == '{"sky": "rain"}'


def test_log_probabilities_are_shades(tmp_path: Path, open_report: OpenReport) -> None:
    made = talk({"role": "user", "content": "q"}, {"role": "assistant", "content": "yes no"})
    other = {"token": "maybe", "logprob": -1.0}
    tokens = [
        {"token": "yes", "logprob": -0.01},
        {"token": " no", "logprob": -3.0, "top_logprobs": [other]},
    ]
    outcome = made.outcome._replace(logprobs={"content": tokens})
    run = write_run(tmp_path / "out.jsonl", [made._replace(outcome=outcome)])
    page = open_report(write_report([run]), "#/rows/0/0")
    page.get_by_text("How sure the model was").click()
    shades = page.locator(".logprobs .plain .token")
    expect(shades).to_have_class(["token t0", "token t4"])
    assert '"maybe" 36.8 %' in (shades.nth(1).get_attribute("title") or "")


def test_copies_are_those_of_the_row(report: Path, open_report: OpenReport) -> None:
    page = open_report(report, "#/rows/0/5", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == report.resolve().as_uri() + "#/rows/0/5"


def test_a_run_json_of_an_earlier_version_is_shown(tmp_path: Path, open_report: OpenReport) -> None:
    output = write_run(tmp_path / "out.jsonl", tickets(30))
    path = output.with_name("out.jsonl.run.json")
    summary = json.loads(path.read_text())
    del summary["last_session"]["over_time"]
    path.write_text(json.dumps(summary))
    page = open_report(write_report([output]))
    expect(page.get_by_role("heading", name="Answers a second", exact=True)).to_be_visible()
    expect(page.locator(".chart", has_text="(last call)")).to_have_count(0)
    assert tile(page, "last call took") == "1 min 4 s"


TEXTS = ["Zürich — ÉTÉ", "東京の天気", "line\nnote", "a 😀 smile", r"C:\new", 'say "hi", twice']


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("zürich — été", ["0"]),
        ("—", ["0"]),
        ("の天", ["1"]),
        ("😀 s", ["3"]),
        ("nnote", []),  # a line end is no letter
        ("note", ["2"]),
        (r"c:\new", ["4"]),
        ('"HI", T', ["5"]),
        ("content", []),
        ('","', []),
        ("stop", ["0", "1", "2", "3", "4", "5"]),
    ],
)
def test_any_character_is_found(
    tmp_path: Path, open_report: OpenReport, text: str, rows: list[str]
) -> None:
    made = [
        talk({"role": "user", "content": one}, {"role": "assistant", "content": "a"})
        for one in TEXTS
    ]
    page = open_report(write_report([write_run(tmp_path / "out.jsonl", made)]), "#/rows/0")
    for _ in range(2):  # the second time in what was kept
        page.get_by_label("Search all text").fill(text)
        page.keyboard.press("Enter")
        expect(page.locator(".count")).to_have_text(
            f"{len(rows)} of 6 rows" if len(rows) < 6 else "6 rows"
        )
        assert column(page, 0) == rows
        page.get_by_label("Search all text").fill("")
        page.keyboard.press("Enter")
        expect(page.locator(".count")).to_have_text("6 rows")


def test_wide_and_narrow_rows_are_searched_alike(tmp_path: Path, open_report: OpenReport) -> None:
    """Blocks of 500 rows are kept in the form that takes least room."""
    made = [
        talk(
            {"role": "user", "content": "天" * 400 if at < 500 else f"plain {at}…"},
            {"role": "assistant", "content": "雨 is rain"},
        )
        for at in range(1000)
    ]
    page = open_report(write_report([write_run(tmp_path / "out.jsonl", made)]), "#/rows/0")
    for text, count in (
        ("雨 IS", "1,000 rows"),
        ("天天", "500 of 1,000 rows"),
        ("9…", "50 of 1,000 rows"),
    ):
        page.get_by_label("Search all text").fill(text)
        page.keyboard.press("Enter")
        expect(page.locator(".count")).to_have_text(count)

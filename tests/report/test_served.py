"""The page of a run that is served while it lasts, in a real browser."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from oumi.report.write import write_report
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.journal import Journal
from tests.conftest import count_records
from tests.fault_server import FaultServer
from tests.report.conftest import OpenReport, OpenServed
from tests.report.runs import Made, record, talk, tickets, write_output, write_run
from tests.report.served import served


def tile(page: Page, label: str) -> object:
    return page.locator(".tile", has=page.get_by_text(label, exact=True)).locator(".value")


def go(page: Page, place: str) -> None:
    page.goto(page.url.split("#")[0] + place)


def answered(text: str) -> Made:
    return talk({"role": "user", "content": "q"}, {"role": "assistant", "content": text})


def test_a_journal_that_grows_is_followed(tmp_path: Path, open_served: OpenServed) -> None:
    output, rows = tmp_path / "out.jsonl", tickets(60)
    with Journal(beside(output, ".journal")) as journal:
        for index in (3, 1, 2):
            record(journal, index, rows[index])
        page = open_served(output, "#/rows/0")
        count = page.locator(".count")
        expect(count).to_have_text("3 rows")
        expect(page.locator(".progress")).to_have_text("3 rows so far")
        page.keyboard.press("j")  # the second one that was recorded
        page.keyboard.press("Enter")
        expect(page.locator(".row-head h2")).to_contain_text("Row 1")
        for index in range(4, 40):
            record(journal, index, rows[index])
        expect(count).to_have_text("39 rows")
        expect(page.locator(".row-head h2")).to_contain_text("Row 1")
        expect(page.locator("[aria-selected=true]")).to_contain_text(re.compile("^1"))
        go(page, "#/overview/0")
        expect(tile(page, "rows")).to_have_text("39")
        record(journal, 40, rows[40])
        expect(tile(page, "rows")).to_have_text("40")


def test_the_output_takes_the_place_of_the_journal(tmp_path: Path, open_served: OpenServed) -> None:
    output, rows = tmp_path / "out.jsonl", tickets(400)
    with Journal(beside(output, ".journal")) as journal:
        for index in reversed(range(400)):
            record(journal, index, rows[index])
        page = open_served(output, "#/rows/0/7")
        expect(page.locator(".row-head h2")).to_have_text("Row 7 ")
        expect(page.locator(".message.user")).to_have_count(0)  # only the input has it
        write_output(output, journal, rows)
        expect(page.locator(".progress")).to_have_text("finished")
        expect(page.locator(".row-head h2")).to_contain_text("Row 7 ticket-0007")
        expect(page.locator(".message.user")).to_contain_text("Ticket 1007")
        expect(page.locator("[aria-selected=true]")).to_contain_text("7")
        go(page, "#/overview/0")
        summary = json.loads(beside(output, ".run.json").read_text())
        expect(tile(page, "done")).to_have_text(str(summary["done"]))
        expect(tile(page, "failed")).to_have_text(str(summary["failed"]))
        expect(tile(page, "cost")).to_have_text(f"${summary['cost_usd']:.2g}")


def test_a_row_that_is_recorded_again_counts_once(tmp_path: Path, open_served: OpenServed) -> None:
    output, rows = tmp_path / "out.jsonl", tickets(300)
    failed = next(at for at, row in enumerate(rows) if not hasattr(row.outcome, "message"))
    with Journal(beside(output, ".journal")) as journal:
        record(journal, failed, rows[failed])
        record(journal, 299, answered('{"topic": "odd"}'))
        page = open_served(output, "#/rows/0")
        expect(page.get_by_role("button", name=re.compile("^failed"))).to_have_text("failed 1")
        expect(page.locator(".tabs")).to_contain_text("Failures (1)")
        record(journal, failed, answered('{"topic": "billing"}'))
        record(journal, 299, answered('{"topic": "other"}'))
        expect(page.locator(".tabs")).to_contain_text("Failures (0)")
        expect(page.locator(".count")).to_have_text("2 rows")
        expect(page.locator(".cells.row").last).to_contain_text('"other"')
        go(page, "#/properties/0")
        values = page.get_by_role("table", name="Values of topic").get_by_role("row")
        expect(values).to_have_count(2)
        expect(values.filter(has_text="odd")).to_have_count(0)
        go(page, "#/overview/0")
        expect(tile(page, "tokens out")).to_have_text("40")


def test_a_torn_line_is_waited_for(tmp_path: Path, open_served: OpenServed) -> None:
    """Whether the rest of it comes, or a run that goes on cuts it off."""
    output = tmp_path / "out.jsonl"
    path = beside(output, ".journal")
    with Journal(path) as journal:
        record(journal, 0, answered("first"))
        start = path.stat().st_size
        record(journal, 1, answered("second"))
    whole = path.read_bytes()
    path.write_bytes(whole[: start + 40])
    page = open_served(output, "#/rows/0")
    expect(page.locator(".count")).to_have_text("1 row")
    with path.open("ab") as file:
        file.write(whole[start + 40 :])
    expect(page.locator(".count")).to_have_text("2 rows")
    with path.open("ab") as file:
        file.write(whole[start : start + 60])
    with Journal(path) as journal:
        record(journal, 2, answered("third"))
    expect(page.locator(".count")).to_have_text("3 rows")
    expect(page.locator(".cells.row")).to_contain_text(["first", "second", "third"])


def test_a_journal_that_is_begun_anew_is_read_anew(tmp_path: Path, open_served: OpenServed) -> None:
    output = tmp_path / "out.jsonl"
    path = beside(output, ".journal")
    with Journal(path) as journal:
        for index in range(5):
            record(journal, index, answered("old"))
    page = open_served(output, "#/rows/0")
    expect(page.locator(".count")).to_have_text("5 rows")
    path.unlink()
    with Journal(path) as journal:
        record(journal, 0, answered("new"))
        expect(page.locator(".count")).to_have_text("1 row")
        expect(page.locator(".cells.row")).to_contain_text(["new"])


def test_a_run_is_killed_resumed_and_finished(
    tmp_path: Path, open_served: OpenServed, server: FaultServer, write_jsonl: Callable[..., Path]
) -> None:
    from tests.conftest import sums

    server.plan(latency_ms=20)
    source, output = write_jsonl(sums(200)), tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "oumi", "infer", "-q", "--engine", "REMOTE_VLLM"]
    command += ["--model.model_name", "m", "--remote_params.api_url", server.api_url]
    command += ["--input_path", str(source), "--output_path", str(output)]
    first = subprocess.Popen([*command, "--remote_params.num_workers", "2"])
    journal = beside(output, ".journal")
    while count_records(journal) < 20:
        assert first.poll() is None
    page = open_served(output, "#/rows/0")
    expect(page.locator(".progress")).to_contain_text("rows so far")
    first.send_signal(signal.SIGKILL)
    first.wait()
    recorded = count_records(journal)
    assert recorded < 200
    expect(page.locator(".count")).to_have_text(f"{recorded} rows")
    subprocess.run(command, check=True)
    expect(page.locator(".progress")).to_have_text("finished")
    expect(page.locator(".count")).to_have_text("200 rows")
    expect(page.get_by_role("button", name=re.compile("^done"))).to_have_text("done 200")


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".csv"])
def test_the_served_page_selects_as_the_file_does(
    tmp_path: Path, open_served: OpenServed, open_report: OpenReport, ending: str
) -> None:
    output = write_run(tmp_path / "out.jsonl", tickets(300))
    if ending != ".jsonl":
        output = other_format(output, ending)
    pages = [
        open_served(output, "#/rows/0"),
        open_report(write_report([output], tmp_path / "report.html"), "#/rows/0"),
    ]
    expect(pages[0].locator(".progress")).to_have_text("finished")
    shown = [selections(page) for page in pages]
    assert shown[0] == shown[1]
    assert len({count for count, *_ in shown[0]}) == 4


def other_format(output: Path, ending: str) -> Path:
    import gzip

    import polars

    if ending == ".jsonl.gz":
        made = output.with_name("packed.jsonl.gz")
        made.write_bytes(gzip.compress(output.read_bytes()))
        return made
    rows = [json.loads(line)["messages"] for line in output.read_text().splitlines()]
    table = polars.DataFrame(
        {
            "question": [row[1]["content"] for row in rows],
            "answer": [row[2]["content"] for row in rows],
        }
    )
    made = output.with_name("table.csv")
    table.write_csv(made)
    return made


def selections(page: Page) -> list[list[str]]:
    """The count and the first rows by several queries."""
    found = []

    def look() -> None:
        expect(page.locator(".rows-view:not([data-searching])")).to_be_attached()
        expect(page.locator(".cell", has_text=re.compile("^…$"))).to_have_count(0)
        rows = page.locator(".cells.row").all_inner_texts()[:12]
        found.append([page.locator(".count").inner_text(), *rows])

    look()
    page.get_by_role("columnheader", name="row").get_by_role("button").click()
    page.get_by_role("columnheader", name="row").get_by_role("button").click()
    look()
    page.get_by_label("Search all text").fill("TICKET 11")
    page.keyboard.press("Enter")
    look()
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Column", exact=True).select_option("property:confidence")
    page.get_by_label("At least").fill("0.8")
    page.get_by_role("button", name="Apply").click()
    look()
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Column", exact=True).select_option("property:topic")
    page.get_by_label(re.compile("^billing")).check()
    page.get_by_role("button", name="Apply").click()
    look()
    return found


def test_a_page_whose_server_ended_says_so(
    tmp_path: Path, open_report: OpenReport, browser
) -> None:
    output = write_run(tmp_path / "out.jsonl", tickets(5))
    page = browser.new_page()
    with served(output) as url:
        page.goto(url)
        expect(page.locator(".progress")).to_have_text("finished")
    expect(page.locator(".progress")).to_have_text("no longer served")
    page.context.close()


@pytest.mark.parametrize("kind", ["rows", "overview", "failures", "properties"])
def test_hostile_text_stays_text(tmp_path: Path, open_served: OpenServed, kind: str) -> None:
    script = "</script><script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
    made = talk(
        {"role": "user", "content": script},
        {"role": "assistant", "content": json.dumps({script: script})},
        conversation_id=script,
        metadata={script: script},
    )
    page = open_served(write_run(tmp_path / "out.jsonl", [made]), f"#/{kind}/0/0")
    expect(page.locator(f"body[data-view={kind}]")).to_be_attached()
    if kind == "rows":
        expect(page.locator(".message.user .text")).to_contain_text(script)
    assert page.title() == "out.jsonl · oumi report"
    assert page.locator("main img, main script").count() == 0

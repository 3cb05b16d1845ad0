"""What a model says stays text: no script runs, nothing is fetched, and all of it is shown."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from oumi.report.write import write_report
from tests.report.conftest import OpenReport
from tests.report.runs import Made, talk, write_run

SCRIPTS = [
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "</script><script>document.title = 'taken'</script><!--",
    "[a](javascript:document.title='taken') ![b](https://example.invalid/b.png)",
    "<svg onload=\"document.title = 'taken'\"><style>* { display: none }</style>",
    "`</code><iframe src='https://example.invalid'></iframe>` **</b><b onclick=x>**",
    '{"</script>": "<img src=https://example.invalid/x.png>"}',
]


def row(answer: str, question: str = "What?", **fields: object) -> Made:
    messages = {"role": "user", "content": question}, {"role": "assistant", "content": answer}
    return talk(*messages, **fields)


def test_markup_is_text(tmp_path: Path, open_report: OpenReport) -> None:
    rows = [row(text, text, conversation_id=text, metadata={text: text}) for text in SCRIPTS]
    page = open_report(write_report([write_run(tmp_path / "out.jsonl", rows)]), "#/rows/0")
    address = page.url.split("#")[0]
    for index, text in enumerate(SCRIPTS):
        page.goto(f"{address}#/rows/0/{index}")
        expect(page.locator(".row-head h2")).to_contain_text(f"Row {index}")
        page.get_by_text("Metadata", exact=True).click()
        page.get_by_text("Raw JSON").click()
        view = page.locator(".row-view")
        assert view.locator("img, script, iframe, svg, style, b").count() == 0
        page.get_by_role("button", name="Text").first.click()
        expect(page.locator(".message.user .text")).to_have_text(text)
    for place in ("#/overview/0", "#/properties/0", "#/failures/0"):
        page.goto(address + place)
    assert page.title() == "out.jsonl · oumi report"


def test_links_ask_before_they_open(tmp_path: Path, open_report: OpenReport) -> None:
    made = row("See [this](https://example.invalid/a?b=1) and [that](data:text/html,x).")
    page = open_report(write_report([write_run(tmp_path / "out.jsonl", [made])]), "#/rows/0/0")
    assert page.locator(".md a").count() == 0
    page.locator(".md .link").click()
    expect(page.locator("dialog .address")).to_have_text("https://example.invalid/a?b=1")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert page.locator(".md button").count() == 1  # `data:` leads nowhere


def test_characters_that_are_not_seen_are_named(tmp_path: Path, open_report: OpenReport) -> None:
    output = tmp_path / "out.jsonl"
    escaped = r"safe \u202eexe.txt\u202c \ud83d half \u0000 \u001b[31m"
    for_answer = '{"role": "user", "content": "x"}, {"role": "assistant", "content": "%s"}'
    whole = for_answer % escaped.replace(r"\ud83d", "")
    half = for_answer % escaped
    output.write_text(f'{{"messages": [{whole}]}}\n{{"messages": [{half}]}}\n')
    page = open_report(write_report([output]), "#/rows/0/0")
    answer = page.locator(".message.assistant .text")
    expect(answer).to_contain_text("safe U+202Eexe.txtU+202C")
    expect(answer).to_contain_text("U+001B[31m")
    assert "\u202e" not in page.locator("body").inner_text()
    page.goto(page.url.split("#")[0] + "#/rows/0/1")
    expect(page.locator(".row-view .failure")).to_contain_text("line 2: not JSON")


def test_a_long_answer_is_shown_when_it_is_asked_for(
    tmp_path: Path, open_report: OpenReport
) -> None:
    text = "word " * 1_000_000 + "end"
    report = write_report([write_run(tmp_path / "out.jsonl", [row(text), row("short")])])
    page = open_report(report, "#/rows/0/0")
    more = page.get_by_role("button", name=re.compile("Show all 5.0 MB"))
    assert len(page.locator(".message.assistant").inner_text()) < 30_000
    more.click()
    assert page.locator(".message.assistant .plain").evaluate("e => e.textContent.length") == len(
        text
    )


def test_markdown_takes_no_time(tmp_path: Path, open_report: OpenReport) -> None:
    """Some of these would take hours if each line were gone through again and again."""
    pieces = (
        "`",
        "**a",
        "[a](",
        "> ",
        "- ",
        "|",
        "*_",
        "# ",
        "~~a",
        "__a ",
        "![",
        "[a](b",
        "```\n",
    )
    texts = [piece * 6_000 for piece in pieces]
    texts.append("".join("`" * n + " " for n in range(200)))
    rows = [row("see above", text) for text in texts]
    page = open_report(write_report([write_run(tmp_path / "out.jsonl", rows)]), "#/rows/0")
    for index in range(len(texts)):
        page.goto(f"{page.url.split('#')[0]}#/rows/0/{index}")
        expect(page.locator(".row-head h2")).to_contain_text(f"Row {index}")
        expect(page.locator(".message.assistant")).to_contain_text("see above")

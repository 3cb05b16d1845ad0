"""Conversations that no run would write: the page shows what it can of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from oumi.report.write import write_report
from tests.report.conftest import OpenReport

ODD: list[Any] = [
    {"messages": [7, None, {"role": "user", "content": ["x", None, {"type": 3}, {"text": 5}]}]},
    {"messages": [{"role": ["a"], "content": {"deep": [[[[[1]]]]]}}], "metadata": 5},
    {"messages": [{"role": "assistant", "content": None, "tool_calls": [None, {"id": 1}, "x"]}]},
    {"messages": [{"role": "assistant", "content": "", "tool_calls": {"a": 1}}]},
    {"messages": [{"content": 3.5, "reasoning_content": 7, "name": {}}], "metadata": {"a": []}},
    {"messages": {"role": "user"}, "conversation_id": [1], "metadata": {"usage": "x", "b": 1e400}},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 5}}]}]},
    {"messages": [{"role": "tool", "content": "no call"}, {"role": "assistant", "content": "a"}]},
    {"messages": [], "metadata": {"logprobs": {"content": [{"token": 1}]}, "__proto__": {"x": 1}}},
    {"messages": [{"role": "assistant", "content": "a", "logprobs": 1}], "constructor": "x"},
]


def test_odd_rows_are_shown_as_far_as_they_go(tmp_path: Path, open_report: OpenReport) -> None:
    output = tmp_path / "out.jsonl"
    lines = [json.dumps(row).replace("Infinity", "null") for row in ODD]
    output.write_text("".join(f"{line}\n" for line in lines))
    page = open_report(write_report([output, output]), "#/rows/0")
    address = page.url.split("#")[0]
    for index in range(len(ODD)):
        page.goto(f"{address}#/rows/0/{index}")
        expect(page.locator(".row-head h2")).to_contain_text(f"Row {index}")
        page.get_by_text("Raw JSON").click()
        raw = json.loads(page.locator(".raw .code").inner_text())
        assert raw["conversation"] == json.loads(lines[index])
    for place in ("#/overview/0", "#/failures/0", "#/compare/0", "#/compare/0/0"):
        page.goto(address + place)
        expect(page.locator("main")).not_to_be_empty()

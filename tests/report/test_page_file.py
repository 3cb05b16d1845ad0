"""The file as text: what runs in it is known by its hash, and data cannot end a script."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from oumi.core.types.result import InferenceResult
from oumi.report import page_file
from oumi.report.write import write_report
from tests.report.runs import talk, write_run

PAGE = Path(page_file.__file__).parent / "page"


def test_the_policy_names_what_runs_and_nothing_else(tmp_path: Path) -> None:
    name = "a<b>&{style}.jsonl"
    messages = {"role": "user", "content": "</script>"}, {"role": "assistant", "content": "<!--"}
    report = write_report([write_run(tmp_path / name, [talk(*messages)])])
    text = report.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    scripts = re.findall(r"<script(?: type=\"module\")?>(.*?)</script>", text, re.DOTALL)
    assert rules["script-src"].split() == [_hash(script) for script in scripts]
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert rules["style-src"].split() == [_hash(style) for style in styles]
    assert "unsafe" not in policy[1]
    assert "<title>a&lt;b&gt;&amp;{style}.jsonl · oumi report</title>" in text
    assert text.count("</script>") == text.count("<script") == 2 + 2


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_page_makes_no_markup_of_texts() -> None:
    """Elements are made in `dom.js` alone, and never from a text."""
    for path in PAGE.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        markup = r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\("
        assert not re.search(markup, text), path
        assert path.name == "dom.js" or "createElement" not in text, path
        asks = re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon)\b", text)
        assert not asks or path.name == "served.js", path


def test_only_a_served_page_asks_for_anything(tmp_path: Path) -> None:
    run = write_run(
        tmp_path / "a.jsonl",
        [talk({"role": "user", "content": "q"}, {"role": "assistant", "content": "a"})],
    )
    report, served = write_report([run]).read_text(), page_file.served_page("a.jsonl").decode()
    asked = ("fetch(", "connect-src 'self'")
    assert [text in report for text in asked] == [False, False]
    assert [text in served for text in asked] == [True, True]


def test_uplot_comes_with_its_licence(tmp_path: Path) -> None:
    vendored = sorted(path.name for path in (PAGE / "vendor").iterdir())
    assert vendored == ["uPlot-1.6.32.iife.min.js", "uPlot-1.6.32.min.css", "uPlot-LICENSE"]
    licence = (PAGE / "vendor" / "uPlot-LICENSE").read_text()
    assert licence.startswith("The MIT License")
    assert licence in InferenceResult().report(tmp_path / "page.html", opens=False).read_text()

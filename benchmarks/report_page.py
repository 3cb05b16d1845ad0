"""What does a report of many rows take: to make it, to open it, to search in it, to serve it?"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Page
from tests.report.browser import find_browser, open_browser

from benchmarks.report import show
from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import Usage
from oumi.runner.cost import Price
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.journal_lines import HEADER, write_record
from oumi.runner.storage.run_summary import RunSummary

SIZES = (100_000, 1_000_000)
_USAGE = Usage(80, 120)
_PRICE = Price("m", 1e-6, 1e-6, 4e-6)
_WORDS = [
    f"{a}{b}" for a in ("ba", "do", "ki", "lu", "ne", "so") for b in ("ral", "min", "te", "vo")
]


def table() -> None:
    """A row of figures for each size, in a file and served."""
    head = ["rows", "JSON MB", "make s", "CPU s", "peak MB", "file MB", "open s"]
    head += ["search cold s", "warm s", "heap MB"]
    show("Reports", head, [_measure(rows) for rows in SIZES])
    head = ["rows", "journal MB", "found s", "counted s", "peak MB", "open s", "search s"]
    show("Served while the run lasts", head, [_measure_served(rows) for rows in SIZES])


def _measure(rows: int) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="oumi-bench-") as folder:
        output = Path(folder) / "out.jsonl"
        _write_run(output, rows)
        made = _make(output)
        report = output.with_suffix(".report.html")
        return [f"{rows:,}", _megabytes(output), *made, _megabytes(report), *_open(report)]


def _make(output: Path) -> list[str]:
    """Seconds, CPU seconds and peak MB of the command."""
    start = time.perf_counter()
    program = subprocess.Popen(
        [sys.executable, "-m", "oumi", "report", str(output)], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(program.pid, 0)
    if status:
        raise RuntimeError(f"oumi report ended with status {status}")
    seconds = time.perf_counter() - start
    cpu = used.ru_utime + used.ru_stime
    return [f"{seconds:.1f}", f"{cpu:.1f}", f"{used.ru_maxrss / 1024:.0f}"]


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f}"


def _open(report: Path) -> list[str]:
    """Seconds until the page is there, seconds of a search, cold and warm, and the heap then."""
    with _opened(report.as_uri()) as (page, opened):
        searches = [_search(page, "bate 77"), _search(page, "bate 78")]
        return [*(f"{one:.2f}" for one in (opened, *searches)), f"{_heap_bytes(page) / 1e6:.0f}"]


@contextmanager
def _opened(address: str) -> Iterator[tuple[Page, float]]:
    """The page with the rows at an address, and how many seconds it took."""
    program = find_browser()
    if program is None:
        raise SystemExit("no Chromium here: scripts/install_browser.sh installs one")
    with open_browser(program) as browser:
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(address + "#/rows/0", wait_until="commit")
        page.wait_for_selector("html[data-ready]")
        yield page, time.perf_counter() - start


def _heap_bytes(page: Page) -> float:
    """All that the page's scripts hold, typed arrays included."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    return sum(used[name] for name in ("usedSize", "embedderHeapUsedSize", "backingStorageSize"))


def _measure_served(rows: int) -> list[str]:
    """A journal without an output, as of a run that lasts."""
    with tempfile.TemporaryDirectory(prefix="oumi-bench-") as folder:
        output = Path(folder) / "out.jsonl"
        _write_run(output, rows)
        output.unlink()
        journal = _megabytes(beside(output, ".journal"))
        command = [sys.executable, "-m", "oumi", "report", "--serve", str(output)]
        program = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            return [f"{rows:,}", journal, *_serve(program, rows)]
        finally:
            program.terminate()
            program.communicate()


def _serve(program: subprocess.Popen[str], rows: int) -> list[str]:
    """Seconds from the start until all rows are in the table, and until all are counted; peak MB;
    seconds to open the page then, and of a search.
    """
    start = time.perf_counter()
    assert program.stderr is not None
    address = program.stderr.readline().split()[1] + "/"
    found = _wait_for(address, lambda state: state["size"] == rows) - start
    counted = _wait_for(address, lambda state: state["counted"] == rows) - start
    with _opened(address) as (page, opened):
        searched = _search(page, "bate 77")
        status = Path(f"/proc/{program.pid}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        return [f"{found:.1f}", f"{counted:.1f}", f"{peak:.0f}", f"{opened:.2f}", f"{searched:.1f}"]


def _wait_for(address: str, is_so: Callable[[dict[str, Any]], bool]) -> float:
    """The moment at which the state of a served run is so."""
    query = "state?generation=1&version=0&replaced=0"
    while not is_so(parse_json(urlopen(address + query).read())):
        time.sleep(0.05)
    return time.perf_counter()


def _search(page: Page, text: str) -> float:
    """Seconds from the key to the end of the search, measured in the page."""
    script = """text => new Promise((done) => {
        const input = document.querySelector(".search");
        const view = document.querySelector(".rows-view");
        const start = performance.now();
        new MutationObserver((_, observer) => {
            if (view.dataset.searching) return;
            observer.disconnect();
            done((performance.now() - start) / 1000);
        }).observe(view, { attributes: true });
        input.value = text;
        input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    })"""
    return float(page.evaluate(script, text))


def _write_run(output: Path, rows: int) -> None:
    """The files of a run, line by line: 900 bytes of conversation a row."""
    journal, words = beside(output, ".journal"), random.Random(1)
    with output.open("wb") as answers, journal.open("wb") as recorded:
        recorded.write(HEADER)
        for index, (line, record) in enumerate(_rows(rows, words)):
            answers.write(write_json(line) + b"\n")
            recorded.write(write_record({"key": f"{index:032x}", "row": index, **record}))
    usage = Usage(_USAGE.prompt_tokens * rows, _USAGE.completion_tokens * rows)
    summary = RunSummary("run", "output", rows, rows, 0, usage, price=_PRICE)
    summary.write(beside(output, ".run.json"), "")


def _rows(rows: int, words: random.Random) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    texts = [" ".join(words.choices(_WORDS, k=60)) for _ in range(997)]
    for index in range(rows):
        question, summary = texts[index % 997][:300], texts[(index * 7) % 991]
        score = words.random()
        answer = write_json({"score": round(score, 3), "topic": _WORDS[index % 7], "text": summary})
        message = {"role": "assistant", "content": answer.decode()}
        facts = {"finish_reason": "stop", "usage": _USAGE.to_dict()}
        line = {
            "conversation_id": f"row-{index}",
            "messages": [{"role": "user", "content": question}, message],
            "metadata": {"shop": index % 13, **facts},
        }
        completion = {"message": message, **facts}
        times = {"latency_s": 0.2 + score, "recorded_at": 1.76e9 + index / 50}
        yield line, {"completion": completion, **times}

"""What becomes of rows beside other libraries when a server fails some and a worker dies?

The same 1,000 rows go through four workers each. The server answers 2 % of the rows with
status 500 once, and refuses 1 % always, with status 400. When a third is asked, a worker that is
just asking is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from tests.fault_server import FaultServer

from benchmarks.cluster.clients.frame import Spec
from benchmarks.remote.bench import ROOT, Bench
from benchmarks.report import show

ROWS = 1_000
WORKERS = 4
IN_FLIGHT = 64
LATENCY_MS = 50
LIMIT_S = 120.0
FAILED = {"kind": "status", "code": 500}
REFUSED = {"kind": "status", "code": 400, "times": None}
ONCE = {f"row-{row}": [FAILED] for row in range(ROWS) if row % 100 in (31, 63)}
ALWAYS = {f"row-{row}": [REFUSED] for row in range(ROWS) if row % 100 == 3}
HEAD = ["library", "rows lost", "rows asked twice", "in order", "seconds", "worker killed", "error"]


@dataclass(frozen=True)
class Library:
    """One that is compared."""

    name: str
    client: str
    python: str


def beside(bench: Bench) -> None:
    """Print what becomes of the rows of each library."""
    libraries = [
        Library("infer", "ours", sys.executable),
        Library("Ray Data LLM, HTTP processor", "ray_data", sys.executable),
        Library("Daft, prompt", "daft_prompt", str(ROOT / ".venv-peers/daft/bin/python")),
    ]
    rows = [_row(bench, library) for library in libraries]
    show(f"{ROWS:,} rows, {WORKERS} workers, some 500s, a worker killed", HEAD, rows)


def _row(bench: Bench, library: Library) -> list[str]:
    if not Path(library.python).exists():
        return [library.name, *["not installed"] * (len(HEAD) - 1)]
    texts, given = _input(bench)
    bench.server.plan(latency_ms=LATENCY_MS, scripts=ONCE | ALWAYS)
    result = bench.folder / f"{library.client}.json"
    files = (str(given), str(bench.output()), str(result))
    spec = Spec(bench.server.api_url, *files, WORKERS, IN_FLIGHT)
    taken, killed = _run(library, spec, bench.server)
    found = {_id(text) for text, answer in taken["answers"] if answer}
    asked = bench.server.stats()["rows"]
    return [
        f"{library.name} ({taken['version']})",
        f"{ROWS - len(ALWAYS) - len(found):,}",
        f"{sum(_is_twice(row, requests) for row, (requests, _) in asked.items()):,}",
        "yes" if [text for text, _ in taken["answers"]] == texts else "no",
        f"{taken['seconds']:.1f}",
        "yes" if killed else "no: there is none",
        taken["error"] or "",
    ]


def _is_twice(row: str, requests: int) -> bool:
    """Whether a row was asked more often than its failures ask for."""
    return row not in ALWAYS and requests > 1 + (row in ONCE)


def _run(library: Library, spec: Spec, server: FaultServer) -> tuple[dict[str, Any], bool]:
    """What a library says at its end, and whether a worker of it was killed."""
    command = [library.python, "-m", f"benchmarks.cluster.clients.{library.client}"]
    env = os.environ | {"OPENAI_BASE_URL": spec.url, "OPENAI_API_KEY": "none"}
    env["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    with subprocess.Popen(
        [*command, json.dumps(asdict(spec))], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    ) as process:
        _wait_for_rows(process, server)
        killed = _kill_worker(process.pid, server)
        try:
            process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return _ended(f"no end after {LIMIT_S:g} s"), killed
    if process.returncode:
        return _ended(f"exit code {process.returncode}"), killed
    return json.loads(Path(spec.result_path).read_text()), killed


def _wait_for_rows(process: subprocess.Popen[bytes], server: FaultServer) -> None:
    """Wait until a third of the rows is asked, or the process has ended or is too slow."""
    end_s = time.monotonic() + LIMIT_S
    while process.poll() is None and server.stats()["requests"] < ROWS // 3:
        if time.monotonic() > end_s:
            return
        time.sleep(0.05)


def _ended(error: str) -> dict[str, Any]:
    return {"version": "?", "seconds": LIMIT_S, "error": error, "answers": []}


def _kill_worker(driver: int, server: FaultServer) -> bool:
    """Kill a process that is asking the server and is not the driver; False where there is none."""
    port = int(server.url.rpartition(":")[2])
    for connection in psutil.net_connections("tcp"):
        is_asking = connection.raddr and connection.raddr.port == port and connection.pid
        if is_asking and connection.pid not in (driver, server.pid, os.getpid()):
            os.kill(connection.pid, signal.SIGKILL)
            return True
    return False


def _input(bench: Bench) -> tuple[list[str], Path]:
    texts = [f"row-{row}: how does one get from Lisbon to Warsaw by train?" for row in range(ROWS)]
    path = bench.folder / "beside.jsonl"
    with path.open("w") as file:
        for text in texts:
            line = {"text": text, "messages": [{"role": "user", "content": text}]}
            file.write(json.dumps(line) + "\n")
    return texts, path


def _id(text: str) -> str:
    """What the server calls a row."""
    return text.partition(":")[0]

"""Does a server that runs for long keep anything of the requests that it has answered?

Whole answers and streams in turn, in front of the fault server of the tests; of every hundred
clients one leaves in the midst of a stream. After each part of the requests the server is left
alone, and its memory, its open files and the tasks of its event loop are read.
"""

from __future__ import annotations

import asyncio
import re
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.fault_server import FaultServer

from benchmarks.report import show
from benchmarks.serve.client import ask_all, leave_streams
from benchmarks.serve.servers import Server, oumi_serve

PARTS = (20_000, 100_000, 200_000)
"""How many requests there were in all when the server is looked at."""
WORDS = 10
_ROUND = 2_000
_LEAVING = 20
_METRIC = re.compile(rb"^(oumi_tasks|oumi_in_flight\S*) (\S+)$", re.MULTILINE)


def table() -> None:
    """Print what the server holds after each part."""
    with FaultServer(message={"content": "word " * (WORDS - 1)}) as upstream:
        arguments = ["--engine", "REMOTE", "--model.model_name", "m"]
        with oumi_serve(*arguments, "--remote_params.api_url", upstream.api_url) as server:
            rows, asked = [], 0
            for part in PARTS:
                started_s, before_s = time.perf_counter(), server.cpu_s()
                count = part - asked
                _ask(server, asked, part)
                asked = part
                took_s, cpu_s = time.perf_counter() - started_s, server.cpu_s() - before_s
                rows.append([f"{part:,}", *_state(server), f"{took_s:.0f}", f"{cpu_s / count:.1e}"])
    head = ["requests", "MB", "open files", "tasks", "in flight", "seconds", "CPU s a request"]
    show("A soak: half of the requests are streams, 1 % of the clients leave", head, rows)


def _ask(server: Server, first: int, last: int) -> None:
    for start in range(first, last, _ROUND):
        ask_all(server.url, _ROUND - _LEAVING, partial(_body, start))
        asyncio.run(leave_streams(server.url, _LEAVING, partial(_body, start, stream=True)))


def _body(start: int, number: int, *, stream: bool | None = None) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"Question row-{start + number}: " + "x" * 280}]
    is_stream = number % 2 == 1 if stream is None else stream
    return {"model": "m", "messages": messages, "stream": is_stream}


def _state(server: Server) -> tuple[str, str, str, str]:
    """Memory, files, tasks and requests in flight, once all clients are gone."""
    until_s = time.monotonic() + 5
    while True:
        with urlopen(f"{server.url}/metrics", timeout=5) as reply:
            found = {name: value.decode() for name, value in _METRIC.findall(reply.read())}
        tasks, in_flight = found[b"oumi_tasks"], found[b'oumi_in_flight{model="m"}']
        if float(in_flight) == 0 or time.monotonic() > until_s:
            break
        time.sleep(0.1)
    files = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
    return f"{server.resident_mb():.1f}", str(files), f"{float(tasks):.0f}", in_flight

"""What does a request cost `oumi serve`, beside the engine without a server before it?

The fault server of the tests answers at once, in a process of its own. `oumi serve` stands before
it, and a client that does next to nothing keeps 32 requests in flight. Counted is the computing
time of the server's process alone. The reference is `infer` over as many rows, in this process.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.fault_server import FaultServer

from benchmarks.report import alternate, median, ratio, show
from oumi.core.configs import ModelParams, RemoteParams
from oumi.core.types import Conversation, Message, Role
from oumi.inference import RemoteInferenceEngine

RUNS = 3
REQUESTS = 10_000
STREAMS = 2_000
EVENTS = 50
IN_FLIGHT = 32


def table() -> None:
    """Print requests and streams per second of computing time."""
    with FaultServer(message={"content": "word " * (EVENTS - 1)}) as upstream:
        arguments = ["--engine", "REMOTE", "--model.model_name", "m"]
        arguments += ["--remote_params.api_url", upstream.api_url]
        serve, url = _start(arguments)
        try:
            measures = {
                "oumi serve, whole answers": lambda: _served(serve.pid, url, REQUESTS),
                "infer, whole answers": lambda: _inferred(upstream.api_url, REQUESTS),
                f"oumi serve, streams of {EVENTS} events": lambda: _served(
                    serve.pid, url, STREAMS, stream=True
                ),
            }
            for measure in measures.values():
                measure()
            taken = alternate(RUNS, *measures.values())
            memory = _resident_mb(serve.pid)
        finally:
            serve.terminate()
            serve.wait()
    rows = [
        [name, f"{median(t):.0f}", f"{ratio(t, taken[1]):.2f}"]
        for name, t in zip(measures, taken, strict=True)
    ]
    head = ["what", "per second of computing time", "times infer"]
    show(f"oumi serve, {memory:.0f} MB in the end", head, rows)


def _start(arguments: list[str]) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "oumi", "serve", "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("ready: "):
            return process, line.split()[1]
    raise RuntimeError("oumi serve did not start")


def _served(pid: int, url: str, count: int, *, stream: bool = False) -> float:
    before_s = _cpu_s(pid)
    asyncio.run(_ask_all(url, count, stream=stream))
    return count / (_cpu_s(pid) - before_s)


async def _ask_all(url: str, count: int, *, stream: bool) -> None:
    numbers = iter(range(count))
    place = urlsplit(url)

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        end = b"data: [DONE]\n\n\r\n0\r\n\r\n" if stream else b"}}}"
        for number in numbers:
            writer.write(_request(number, stream=stream))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            if stream:
                await reader.readuntil(end)
            else:
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))
        writer.close()

    await asyncio.gather(*(ask() for _ in range(IN_FLIGHT)))


def _request(number: int, *, stream: bool) -> bytes:
    messages = [{"role": "user", "content": _text(number)}]
    body = json.dumps({"model": "m", "messages": messages, "stream": stream}).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def _text(number: int) -> str:
    return f"Question row-{number}: " + "x" * 280


def _inferred(url: str, count: int) -> float:
    rows = [
        Conversation(messages=[Message(role=Role.USER, content=_text(n))]) for n in range(count)
    ]
    remote = RemoteParams(api_url=url, num_workers=IN_FLIGHT)
    with RemoteInferenceEngine(ModelParams("m"), remote_params=remote) as engine:
        before = resource.getrusage(resource.RUSAGE_SELF)
        engine.infer(rows)
        after = resource.getrusage(resource.RUSAGE_SELF)
    spent_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return count / spent_s


def _cpu_s(pid: int) -> float:
    """Seconds of computing of a process, by the figures that Linux keeps of it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

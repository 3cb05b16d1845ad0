"""What all clients share. Only the standard library: peers live in environments of their own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "bench"
SYSTEM = "You are a careful assistant. Answer in one short sentence and say when you are not sure."
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Spec:
    """What a client is to do. Files and limits are for ours alone."""

    url: str
    requests: int
    in_flight: int
    core: int | None = None
    input_path: str | None = None
    output_path: str | None = None
    requests_per_minute: int | None = None
    adaptive: bool = True
    schema: dict[str, Any] | None = None
    checked: bool = True
    """Whether answers are checked against the schema, or it is only sent."""
    workers: int | None = None
    """Of a cluster."""


def messages(row: int) -> list[dict[str, str]]:
    """What is asked in a row."""
    question = f"row-{row}: which rivers does one cross on the way from Lisbon to Warsaw by train?"
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]


def run(work: Callable[[Spec], int]) -> None:
    """Do the work, which returns how many rows failed, and print what it took."""
    spec = read_spec()
    measure(spec, lambda: work(spec))


def read_spec() -> Spec:
    """What this process is to do."""
    return Spec(**json.loads(sys.argv[1]))


def measure(spec: Spec, work: Callable[[], int]) -> None:
    """The same where something had to be made ready first."""
    if spec.core is not None:
        os.sched_setaffinity(0, {spec.core})
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    failed = work()
    taken: dict[str, Any] = {
        "requests": spec.requests,
        "wall_s": time.perf_counter() - wall_s,
        "cpu_s": time.process_time() - cpu_s,
        "peak_mb": _peak_mb(),
        "failed": failed,
    }
    print(json.dumps(taken))


async def ask_all(spec: Spec, ask: Callable[[int], Awaitable[object]]) -> int:
    """Ask every row with `in_flight` workers, and count those that raise."""
    rows = iter(range(spec.requests))
    failed = 0

    async def work() -> None:
        nonlocal failed
        for row in rows:
            try:
                await ask(row)
            except Exception:
                failed += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(spec.in_flight):
            group.create_task(work())
    return failed


def _peak_mb() -> float:
    try:  # of this program alone; getrusage counts in what the process was before it
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 2**10

"""What does a row cost the driver, how does that grow with workers, and memory with rows?

All workers, the server and the driver share this machine: rows a second say how much there is to
do for all of them together, and CPU time of the driver what a larger cluster would wait for.
"""

from __future__ import annotations

import os

from benchmarks.remote.bench import CLUSTER, OURS, Bench, Taken
from benchmarks.report import show

ROWS = int(os.environ.get("OUMI_BENCH_ROWS", "100000"))
WORKERS = (1, 2, 4, 8)
IN_FLIGHT = 128
LATENCY_MS = 40
MEMORY_ROWS = (ROWS // 10, ROWS)
HEAD = ["run", "rows/s", "driver: CPU ms a row", "rows a CPU second", "peak MB"]


def workers(bench: Bench) -> None:
    """Print runs with more and more workers, beside one without a cluster."""
    bench.server.plan()
    rows = [_row("no cluster", bench.run(OURS, ROWS, IN_FLIGHT, adaptive=False))]
    rows += [_row(f"{n} workers", _run(bench, ROWS, n)) for n in WORKERS]
    show(f"{ROWS:,} rows, {IN_FLIGHT} in flight", HEAD, rows)


def single(bench: Bench) -> None:
    """Print what a row costs where each exchange carries one, as with many workers of few rows."""
    bench.server.plan(latency_ms=LATENCY_MS)
    most = WORKERS[-1]
    taken = _run(bench, ROWS // 20, most, in_flight=most)
    show(f"One row in flight a worker, {LATENCY_MS} ms", HEAD, [_row(f"{most} workers", taken)])


def memory(bench: Bench) -> None:
    """Print what more rows take of the driver."""
    bench.server.plan()
    show("Memory, 4 workers", HEAD, [_row(f"{n:,} rows", _run(bench, n, 4)) for n in MEMORY_ROWS])


def _run(bench: Bench, rows: int, count: int, in_flight: int = IN_FLIGHT) -> Taken:
    return bench.run(CLUSTER, rows, in_flight, workers=count, adaptive=False)


def _row(name: str, taken: Taken) -> list[str]:
    if taken.failed:
        raise RuntimeError(f"{taken.failed} rows failed")
    return [
        name,
        f"{taken.requests / taken.wall_s:,.0f}",
        f"{1000 * taken.cpu_s / taken.requests:.3f}",
        f"{taken.per_cpu_s:,.0f}",
        f"{taken.peak_mb:.0f}",
    ]

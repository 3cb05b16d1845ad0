"""What does the length of a file cost in memory?"""

from __future__ import annotations

from benchmarks.remote.bench import OURS, Bench, Taken
from benchmarks.report import show

IN_FLIGHT = 64
ROWS = (10_000, 100_000)
MEMORY_HEAD = ["rows", "peak MB", "seconds", "rows per CPU second"]


def memory(bench: Bench) -> None:
    """Print the peak memory of `infer` by the length of its input file."""
    bench.server.plan()
    show("Memory", MEMORY_HEAD, [_row(bench.run(OURS, rows, IN_FLIGHT)) for rows in ROWS])


def _row(taken: Taken) -> list[str]:
    return [
        f"{taken.requests:,}",
        f"{taken.peak_mb:.0f}",
        f"{taken.wall_s:.1f}",
        f"{taken.per_cpu_s:,.0f}",
    ]

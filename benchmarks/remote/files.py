"""What does the length of a file cost in memory, and how long does a finished run take again?"""

from __future__ import annotations

from pathlib import Path

from benchmarks.remote.bench import OURS, Bench, Taken
from benchmarks.report import show

IN_FLIGHT = 64
ROWS = (10_000, 100_000)
MILLION = 1_000_000
MEMORY_HEAD = ["rows", "peak MB", "seconds", "rows per CPU second"]


def memory(bench: Bench) -> None:
    """Print the peak memory of `infer` by the length of its input file."""
    bench.server.plan()
    show("Memory", MEMORY_HEAD, [_row(bench.run(OURS, rows, IN_FLIGHT)) for rows in ROWS])


def million(bench: Bench) -> None:
    """Print the same for a million rows, and what running again costs."""
    bench.server.plan()
    files = {"input_path": str(bench.input(MILLION)), "output_path": str(bench.output())}
    runs = {"first run": bench.run(OURS, MILLION, IN_FLIGHT, **files)}
    _remove_output(files["output_path"])
    bench.server.reset()
    runs["output deleted: rebuilt from the journal"] = bench.run(OURS, MILLION, IN_FLIGHT, **files)
    runs["all there: nothing to do"] = bench.run(OURS, MILLION, IN_FLIGHT, **files)
    if asked := bench.server.stats()["requests"]:
        raise RuntimeError(f"{asked} rows were asked for again")
    rows = [
        [what, f"{taken.wall_s:.1f}", f"{taken.cpu_s:.1f}", f"{taken.peak_mb:.0f}"]
        for what, taken in runs.items()
    ]
    show(f"{MILLION:,} rows", ["run", "seconds", "CPU seconds", "peak MB"], rows)


def _row(taken: Taken) -> list[str]:
    return [
        f"{taken.requests:,}",
        f"{taken.peak_mb:.0f}",
        f"{taken.wall_s:.1f}",
        f"{taken.per_cpu_s:,.0f}",
    ]


def _remove_output(path: str) -> None:
    Path(path).unlink()
    Path(f"{path}.run.json").unlink()

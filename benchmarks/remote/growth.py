"""What does a run take that is killed, resumed, rebuilt and repeated, as its file grows?"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.remote.bench import OURS, Bench, Taken, result
from benchmarks.report import show

IN_FLIGHT = 64
SMALLEST = 10_000
ROWS = int(os.environ.get("OUMI_BENCH_ROWS", "1000000"))
HEAD = ["rows", "run", "first answer s", "seconds", "CPU s", "CPU s a million rows", "peak MB"]
_POLL_S = 0.01
_RECORD_BYTES = 400
"""Less than a record has, and more than the header and the note on the address."""


@dataclass(frozen=True)
class _Files:
    input_path: Path
    output_path: Path

    @property
    def journal(self) -> Path:
        return Path(f"{self.output_path}.journal")

    @property
    def journal_bytes(self) -> int:
        with suppress(FileNotFoundError):
            return self.journal.stat().st_size
        return 0

    @property
    def settings(self) -> dict[str, str]:
        return {"input_path": str(self.input_path), "output_path": str(self.output_path)}

    def remove_output(self) -> None:
        self.output_path.unlink()
        Path(f"{self.output_path}.run.json").unlink()


def growth(bench: Bench) -> None:
    """Print one table, by decades."""
    rows = [line for count in _decades(ROWS) for line in _lines(bench, count)]
    show("A run by the length of its file", HEAD, rows)


def _decades(most: int) -> Iterator[int]:
    count = SMALLEST
    while count < most:
        yield count
        count *= 10
    yield most


def _lines(bench: Bench, rows: int) -> Iterator[list[str]]:
    """The lines of the table for a file."""
    bench.server.plan()
    files = _Files(bench.input(rows), bench.output())
    yield _line(rows, "killed in the middle", *_killed(bench, rows, files))
    yield _line(rows, "resumed", *_resumed(bench, rows, files))
    bench.server.reset()
    yield _line(rows, "nothing to do", bench.run(OURS, rows, IN_FLIGHT, **files.settings))
    files.remove_output()
    yield _line(rows, "output rebuilt", bench.run(OURS, rows, IN_FLIGHT, **files.settings))
    if asked := bench.server.stats()["requests"]:
        raise RuntimeError(f"{asked} rows were asked for again")
    files.input_path.unlink()


def _killed(bench: Bench, rows: int, files: _Files) -> tuple[Taken, float]:
    """The first half of a run, and when its first answer came."""
    begun_s = time.perf_counter()
    with bench.start(OURS, rows, IN_FLIGHT, **files.settings) as process:
        _wait_for_bytes(process, files, _RECORD_BYTES)
        first_s = time.perf_counter() - begun_s
        _wait_for_bytes(process, files, 100 * _RECORD_BYTES)
        _wait_for_bytes(process, files, rows // 2 * _mean_line_bytes(files))
        process.kill()
        _, _, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun_s
    with files.journal.open("rb") as journal:
        recorded = sum(1 for _ in journal)
    peak_mb = used.ru_maxrss / 2**10  # KB, on Linux
    return Taken(recorded, wall_s, used.ru_utime + used.ru_stime, peak_mb, 0), first_s


def _resumed(bench: Bench, rows: int, files: _Files) -> tuple[Taken, float]:
    """The rest of it, and when its first answer came."""
    begun_s, recorded_bytes = time.perf_counter(), files.journal_bytes
    with bench.start(OURS, rows, IN_FLIGHT, **files.settings) as process:
        _wait_for_bytes(process, files, recorded_bytes + _RECORD_BYTES)
        first_s = time.perf_counter() - begun_s
        return result(process), first_s


def _wait_for_bytes(process: subprocess.Popen[str], files: _Files, count: int) -> None:
    while files.journal_bytes < count:
        if process.poll() is not None:
            raise RuntimeError(f"a client ended with {process.returncode}")
        time.sleep(_POLL_S)


def _mean_line_bytes(files: _Files) -> int:
    with files.journal.open("rb") as journal:
        lines = list(islice(journal, 50))
    return sum(map(len, lines)) // len(lines)


def _line(rows: int, run: str, taken: Taken, first_s: float | None = None) -> list[str]:
    if taken.failed:
        raise RuntimeError(f"{taken.failed} rows failed")
    return [
        f"{rows:,}",
        run,
        "" if first_s is None else f"{first_s:.2f}",
        f"{taken.wall_s:.1f}",
        f"{taken.cpu_s:.1f}",
        f"{1e6 * taken.cpu_s / taken.requests:.1f}",
        f"{taken.peak_mb:.0f}",
    ]

"""What does an import cost, beside that of the client everybody has?"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time

from benchmarks.report import alternate, median, show

RUNS = 7
MODULES = ["oumi.inference", "openai"]


def table() -> None:
    """Seconds of a fresh process that imports a module, less those of an empty one."""
    present = [name for name in MODULES if importlib.util.find_spec(name.partition(".")[0])]
    empty, *taken = alternate(RUNS, lambda: _seconds("pass"), *(_importing(m) for m in present))
    rows = [
        [name, f"{median(t) - median(empty):.3f}"] for name, t in zip(present, taken, strict=True)
    ]
    rows += [[name, "not installed here"] for name in MODULES if name not in present]
    show("Import", ["module", "seconds"], rows)


def _importing(module: str):
    return lambda: _seconds(f"import {module}")


def _seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start

"""`oumi report --serve` as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(output: Path) -> Iterator[str]:
    """The address at which the run of an output file is shown."""
    process = subprocess.Popen(
        [sys.executable, "-m", "oumi", "report", "--serve", str(output)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert line.startswith("ready: "), line + process.stderr.read()
        yield line.split()[1]
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, "stopped\n")

"""How much memory a program takes."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_bytes() -> int:
    """The most that this program held so far."""
    try:  # getrusage counts in what the process was before it became this program
        status = Path("/proc/self/status").read_text()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024

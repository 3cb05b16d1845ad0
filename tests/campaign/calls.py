"""Calls of the command, to which something may happen."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KEY = "sk-campaign-4f8d1c7e9b2a"

NO_LOCKS = "flock:38:"
DISK_FAULTS = (
    NO_LOCKS,
    "flock:37:",
    "fsync:22:/",
    "fsync:5:.journal",
    "pwrite:28:.journal",
    "pwrite:116:.journal",
    "rename:18:out.jsonl",
    "rename:28:out.jsonl",
    "rename:5:run.json",
)
"""See faulty_disk.c. 5: I/O error, 18: other device, 22: no such call on folders, 28: full disk,
37 and 38: no locks, 116: stale handle."""
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_LONGEST_S = 120
_POLL_S = 0.005


@dataclass
class Ended:
    """How a call ended."""

    code: int
    printed: str
    was_signalled: bool
    disk: str
    """What the disk refused; empty for a good one."""


class Calls:
    """Starts `oumi` in the folder of a round, with the key in its environment."""

    def __init__(self, folder: Path, library: Path | None, figures: Counter[str]):
        self._folder = folder
        self._library = library
        self._figures = figures

    def start(self, arguments: list[str], disk: str = "") -> subprocess.Popen[str]:
        """Start a call on a disk that refuses what `disk` says."""
        self._figures["calls"] += 1
        self._figures[f"disks: {disk.split(':')[0] or 'good'}"] += 1
        env = os.environ | {"OPENAI_API_KEY": KEY, "XDG_STATE_HOME": str(self._folder / "state")}
        limit = None
        if disk.startswith("size:"):
            limit = int(disk.removeprefix("size:"))
        elif disk and self._library is not None:
            env |= {"LD_PRELOAD": str(self._library), "DISK_FAULTS": disk}
        return subprocess.Popen(
            [sys.executable, "-m", "oumi", *arguments],
            cwd=self._folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=None if limit is None else lambda: _limit_files(limit),
        )

    def run(self, arguments: list[str], disk: str = "") -> Ended:
        """A call that ends by itself."""
        return self.end(self.start(arguments, disk), disk=disk)

    def end(
        self, process: subprocess.Popen[str], *, was_signalled: bool = False, disk: str = ""
    ) -> Ended:
        """Wait for the end of a call."""
        try:
            printed, _ = process.communicate(timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, _ = process.communicate()
            printed += f"\nTraceback (most recent call last): no end after {_LONGEST_S} s"
        return Ended(process.returncode, printed, was_signalled, disk)

    def signal(self, rng: random.Random, process: subprocess.Popen[str]) -> bool:
        """End a call by a signal. False where it has ended before."""
        how = rng.choice(_SIGNALS)
        if process.poll() is not None:
            return False
        process.send_signal(how)
        self._figures[f"calls ended by {how.name}"] += 1
        return True


def random_disk(rng: random.Random) -> str:
    """A fault of the disk: a call that fails, or files that may only grow to a size."""
    return rng.choice([*DISK_FAULTS, f"size:{rng.randrange(500, 60_000)}"])


def wait(process: subprocess.Popen[str], seconds: float, holds: Callable[[], bool]) -> None:
    """Until something holds, the call ends, or the time is over."""
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s and process.poll() is None and not holds():
        time.sleep(_POLL_S)


def _limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

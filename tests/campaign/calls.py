"""One call of the command, to which something may happen."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

KEY = "sk-campaign-4f8d1c7e9b2a"

_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_DISK_FAULTS = ("flock:38:", "fsync:22:/", "pwrite:28:.journal", "rename:18:out.jsonl", "fsync:5:")


class Calls:
    """Starts `oumi` in the folder of a round, with the key in its environment."""

    def __init__(self, folder: Path, library: Path | None):
        self._folder = folder
        self._library = library
        self.killed = 0

    def run(
        self,
        rng: random.Random,
        arguments: list[str],
        *,
        ends_after_s: float | None = None,
        meanwhile: Callable[[], None] | None = None,
        is_disk_faulty: bool = False,
    ) -> tuple[int, str]:
        """Exit code and all that was printed. `ends_after_s`: a signal comes then."""
        env = os.environ | {"OPENAI_API_KEY": KEY, "XDG_STATE_HOME": str(self._folder / "state")}
        if is_disk_faulty and self._library is not None:
            env |= {"LD_PRELOAD": str(self._library), "DISK_FAULTS": rng.choice(_DISK_FAULTS)}
        process = subprocess.Popen(
            [sys.executable, "-m", "oumi", *arguments],
            cwd=self._folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if ends_after_s is not None:
            time.sleep(ends_after_s)
            if meanwhile is not None:
                meanwhile()
            if process.poll() is None:
                process.send_signal(rng.choice(_SIGNALS))
                self.killed += 1
        printed, _ = process.communicate(timeout=120)
        return process.returncode, printed

"""Plays rounds until the time is over."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.campaign import oracle
from tests.campaign.calls import KEY, Calls
from tests.campaign.rounds import KINDS, Round
from tests.fault_server import FaultServer


def play(seconds: float, seed: int, kinds: list[str], library: Path | None = None) -> Counter[str]:
    """How many rounds of each kind, and how many ends by a signal, there were.

    Raises BrokenError, which names the round, for a promise that was not kept.
    """
    counts: Counter[str] = Counter()
    ends_s = time.monotonic() + seconds
    with FaultServer() as server:
        while time.monotonic() < ends_s:
            kind = kinds[counts.total() % len(kinds)]
            counts["signals"] += play_round(server, kind, seed, library)
            counts[kind] += 1
            seed += 1
    return counts


def play_round(server: FaultServer, kind: str, seed: int, library: Path | None) -> int:
    """One round, by its seed. Returns how many calls were ended by a signal."""
    with tempfile.TemporaryDirectory(prefix=f"oumi-campaign-{seed}-") as name:
        folder = Path(name)
        calls = Calls(folder, library)
        try:
            KINDS[kind](Round(random.Random(seed), folder, server, calls))
            oracle.check_files(folder, KEY)
            oracle.check_processes(name)
        except oracle.BrokenError as error:
            raise oracle.BrokenError(f"{kind}, --round {seed}: {error}") from error
    return calls.killed

"""Plays rounds until the time is over."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from itertools import count, cycle
from pathlib import Path

from tests.campaign import oracle
from tests.campaign.calls import KEY, Calls
from tests.campaign.kinds import KINDS
from tests.campaign.round import Round
from tests.fault_server import FaultServer


def play(seconds: float, seed: int, kinds: list[str], library: Path | None = None) -> Counter[str]:
    """The figures of all rounds. Raises BrokenError, which names the round, for a promise that
    was not kept.
    """
    figures: Counter[str] = Counter()
    ends_s = time.monotonic() + seconds
    with FaultServer() as server:
        for number, kind in zip(count(seed), cycle(kinds), strict=False):
            if time.monotonic() > ends_s:
                break
            _play_round(server, kind, number, library, figures)
    return figures


def play_once(seed: int, kinds: list[str], library: Path | None = None) -> Counter[str]:
    """The figures of the rounds of one seed."""
    figures: Counter[str] = Counter()
    with FaultServer() as server:
        for kind in kinds:
            _play_round(server, kind, seed, library, figures)
    return figures


def _play_round(
    server: FaultServer, kind: str, seed: int, library: Path | None, figures: Counter[str]
) -> None:
    with tempfile.TemporaryDirectory(prefix=f"oumi-campaign-{seed}-") as name:
        folder = Path(name)
        round_ = Round(
            random.Random(seed), folder, server, Calls(folder, library, figures), figures
        )
        figures[f"rounds of {kind}"] += 1
        server.reset()
        try:
            KINDS[kind](round_)
            oracle.check_processes(name)
            oracle.check_files(folder, KEY)
        except Exception as error:
            error.add_note(f"{kind}: --kind {kind} --round {seed}")
            raise
        _count_faults(server, figures)


def _count_faults(server: FaultServer, figures: Counter[str]) -> None:
    stats = server.stats()
    figures["requests"] += stats["requests"]
    for name, number in stats["faults"].items():
        figures[f"replies: {name}"] += number

"""How much of a rate limit is used, and at what price?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.remote.bench import (
    LITELLM,
    NAMES,
    OPENAI,
    OURS,
    Bench,
    absent,
    present,
    result,
)
from benchmarks.report import show

PER_SECOND = 50
BURST = 10
LATENCY_MS = 200
IN_FLIGHT = 64
LEARNING_S = 10.0
PLAIN: dict[str, Any] = {"per_second": PER_SECOND, "burst": BURST, "retry_after": False}
WINDOW: dict[str, Any] = PLAIN | {"window_s": 1, "retry_after": True}


@dataclass(frozen=True)
class Case:
    """A client, what it is told, and what the server tells."""

    client: str
    requests: int
    words: str
    settings: Mapping[str, Any]
    limit: Mapping[str, Any]
    left_out_s: float = 0.0


CASES = (
    Case(
        OURS,
        1_500,
        ", requests_per_minute=3000",
        {"requests_per_minute": PER_SECOND * 60},
        PLAIN,
    ),
    Case(OURS, 1_500, ", told nothing", {}, PLAIN, LEARNING_S),
    Case(
        OURS,
        1_500,
        ", Retry-After in 429s",
        {},
        PLAIN | {"retry_after": True},
        LEARNING_S,
    ),
    Case(OURS, 4_500, ", the same for longer", {}, PLAIN | {"retry_after": True}, LEARNING_S),
    Case(OURS, 4_500, ", the same, windows of 1 s", {}, WINDOW, LEARNING_S),
    Case(
        OURS,
        1_500,
        ", x-ratelimit headers",
        {},
        PLAIN | {"headers": True},
        LEARNING_S,
    ),
    Case(OPENAI, 1_000, ", 2 retries", {}, PLAIN | {"retry_after": True}),
    Case(LITELLM, 1_000, ", 2 retries", {}, PLAIN | {"retry_after": True}),
)


def rate_limit(bench: Bench) -> None:
    """Print what was used of the limit, and how many requests and rows it cost."""
    rows = [_run(bench, case) for case in CASES if present(case.client)]
    head = ["client", "share of the limit", "429s", "of requests", "rows lost"]
    rows += absent(*dict.fromkeys(case.client for case in CASES), cells=len(head))
    show(f"A limit of {PER_SECOND}/s, burst {BURST}, {LATENCY_MS} ms", head, rows)


def _run(bench: Bench, case: Case) -> list[str]:
    server = bench.server
    server.plan(latency_ms=LATENCY_MS, limit=dict(case.limit))
    with bench.start(case.client, case.requests, IN_FLIGHT, **case.settings) as process:
        first = server.wait_until(lambda stats: stats["requests"] > 0, timeout_s=60)
        time.sleep(case.left_out_s)
        first, begun_s = server.stats(), time.monotonic()
        taken = result(process)
    last = server.stats(starts=True)
    passed, limited = (_passed(last) - _passed(first), last["limited"])
    allowed = PER_SECOND * (last["starts"][-1] - begun_s) + (0 if case.left_out_s else BURST)
    return [
        NAMES[case.client] + case.words,
        f"{passed / allowed:.3f}" + (f" after {case.left_out_s:g} s" if case.left_out_s else ""),
        f"{limited:,}",
        f"{limited / last['requests']:.1%}",
        f"{taken.failed:,}",
    ]


def _passed(stats: Mapping[str, Any]) -> int:
    return int(stats["requests"] - stats["limited"])

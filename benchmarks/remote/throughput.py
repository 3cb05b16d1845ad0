"""How many requests does a second of CPU time pay for, and how long do 20,000 take?"""

from __future__ import annotations

from benchmarks.remote.bench import (
    LITELLM,
    LOOP,
    NAMES,
    OPENAI,
    OURS,
    UPSTREAM,
    Bench,
    Taken,
    absent,
    present,
)
from benchmarks.report import median, ratio, show

RUNS = 3
IN_FLIGHT = 64
REQUESTS = {OURS: 20_000, LOOP: 20_000, UPSTREAM: 2_000, OPENAI: 2_000, LITELLM: 1_000}

MANY_IN_FLIGHT = 2_000
LATENCY_MS = 50
REQUESTS_OF_MANY = {OURS: 20_000, LOOP: 20_000, OPENAI: 4_000, LITELLM: 4_000}


def per_cpu_second(bench: Bench) -> None:
    """Print requests per CPU second with some in flight, and the ratios."""
    bench.server.plan()
    clients = present(*REQUESTS)
    taken: dict[str, list[Taken]] = {client: [] for client in clients}
    for _ in range(RUNS):
        for client in clients:
            taken[client].append(bench.run(client, REQUESTS[client], IN_FLIGHT))
    rates = {client: [t.per_cpu_s for t in runs] for client, runs in taken.items()}
    rows = [
        [
            NAMES[client],
            f"{median(rates[client]):,.0f}",
            f"{median([1000 / rate for rate in rates[client]]):.3f}",
            f"{median([t.peak_mb for t in taken[client]]):.0f}",
            f"{ratio(rates[OURS], rates[client]):.2f}",
        ]
        for client in clients
    ]
    head = ["client", "requests per CPU second", "CPU ms each", "peak MB", "infer is … times this"]
    rows += absent(*REQUESTS, cells=len(head))
    show(f"The whole path, {IN_FLIGHT} in flight", head, rows)


def many_in_flight(bench: Bench) -> None:
    """Print how long requests take when very many are in flight; peers are given fewer of them."""
    bench.server.plan(latency_ms=LATENCY_MS)
    most = max(REQUESTS_OF_MANY.values())
    rows = []
    for client in present(*REQUESTS_OF_MANY):
        requests = REQUESTS_OF_MANY[client]
        taken = bench.run(client, requests, MANY_IN_FLIGHT)
        scaled = taken.wall_s * most / requests
        note = "" if requests == most else f"scaled from {requests:,}"
        rows.append([NAMES[client], f"{scaled:.1f}", f"{taken.failed}", note])
    ideal = most / MANY_IN_FLIGHT * LATENCY_MS / 1000
    head = ["client", "seconds", "rows lost", ""]
    title = f"{most:,} requests, {MANY_IN_FLIGHT:,} in flight, {LATENCY_MS} ms each"
    show(f"{title} (ideal {ideal:g} s)", head, rows + absent(*REQUESTS_OF_MANY, cells=len(head)))

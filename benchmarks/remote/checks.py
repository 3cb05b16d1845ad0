"""What does it cost to check each answer against a schema?"""

from __future__ import annotations

import json

from benchmarks.remote.bench import OURS, Bench, Taken
from benchmarks.report import median, ratio, show

RUNS = 5
ROWS = 20_000
IN_FLIGHT = 64
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "price": {"type": "number"},
        "features": {"type": "array", "items": {"type": "string"}},
        "color": {"type": "string"},
    },
    "required": ["name", "price", "features", "color"],
    "additionalProperties": False,
}
ANSWER = {
    "name": "iPhone 15",
    "price": 999,
    "features": ["A17 Pro chip", "USB-C connectivity", "premium Titanium design"],
    "color": "titanium",
}
WAYS = {"sent, not checked": False, "sent and checked": True}


def with_schema(bench: Bench) -> None:
    """Print the whole path with a schema that is only sent, and with answers that are checked."""
    bench.server.plan(message={"content": json.dumps(ANSWER)})
    runs: dict[str, list[Taken]] = {way: [] for way in WAYS}
    for _ in range(RUNS):
        for way, checked in WAYS.items():
            runs[way].append(bench.run(OURS, ROWS, IN_FLIGHT, schema=SCHEMA, checked=checked))
    if failed := sum(taken.failed for way in WAYS for taken in runs[way]):
        raise RuntimeError(f"{failed} rows failed")
    costs = {way: [1000 * t.cpu_s / t.requests for t in taken] for way, taken in runs.items()}
    plain = costs["sent, not checked"]
    rows = [
        [way, f"{median(cost):.4f}", f"{ratio(cost, plain) - 1:+.1%}"]
        for way, cost in costs.items()
    ]
    show("A schema, the whole path", ["schema", "CPU ms each", "more"], rows)

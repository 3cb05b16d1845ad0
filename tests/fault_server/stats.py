"""What the server saw."""

from __future__ import annotations

import time
from array import array
from collections import Counter, deque
from typing import Any

_KEPT = 20
_BYTES_KEPT = 1_000_000


class Stats:
    """Counts of requests. `200` counts good answers that were written whole, nothing else."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.limited: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.embedded: Counter[str] = Counter()
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.starts = array("d")
        self.in_flight = 0
        self.most_in_flight = 0
        self.left = 0
        self.connections = 0
        self.authorizations: set[str] = set()
        self.last: deque[tuple[bytes, bytes, list[tuple[bytes, bytes]], bytes]] = deque(
            maxlen=_KEPT
        )

    def start(self, row: str) -> int:
        """Count a request in, and say which one of its row it is, from 0."""
        self.starts.append(time.monotonic())
        number = self.requests[row]
        self.requests[row] = number + 1
        self.in_flight += 1
        if self.in_flight > self.most_in_flight:
            self.most_in_flight = self.in_flight
        return number

    def count_tokens(self, prompt: int, completion: int) -> None:
        """Count those of an answer, also of one that does not arrive whole."""
        self.prompt_tokens += prompt
        self.completion_tokens += completion

    def end(self, row: str, label: str) -> None:
        """Count an answer that was written to its end."""
        self.in_flight -= 1
        self.labels[label] += 1
        if label == "200":
            self.answered[row] += 1

    def leave(self) -> None:
        """Count a client that left before its answer was written."""
        self.in_flight -= 1
        self.left += 1

    def see(
        self, method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> None:
        """Keep what came in."""
        self.last.append((method, path, headers, body[:_BYTES_KEPT]))
        for name, value in headers:
            if name.lower() in (b"authorization", b"x-api-key", b"api-key"):
                self.authorizations.add(str(value, "latin-1"))

    def to_dict(self, *, starts: bool = False) -> dict[str, Any]:
        """As JSON-ready values; the times of all starts (time.monotonic) where asked for."""
        value = {
            "requests": self.requests.total(),
            "rows": {row: [n, self.answered[row]] for row, n in self.requests.items()},
            "embedded": dict(self.embedded),
            "by_status": dict(self.labels),
            "faults": dict(self.faults),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "limited": self.limited.total(),
            "left": self.left,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "connections": self.connections,
            "authorizations": sorted(self.authorizations),
            "last": [_seen(*seen) for seen in self.last],
        }
        return value | {"starts": list(self.starts)} if starts else value


def _seen(
    method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> dict[str, Any]:
    return {
        "method": method.decode(),
        "path": path.decode(),
        "headers": {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in headers},
        "body": body.decode(errors="replace"),
    }

"""What all clients share. Only the standard library: peers live in environments of their own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Spec:
    """What a client is to do."""

    url: str
    input_path: str
    output_path: str
    result_path: str
    """Where what came of it goes: Ray prints what it likes."""
    workers: int
    in_flight: int
    """Requests of all workers together."""


Answers = Iterable[tuple[str, str | None]]
"""In the order of the output: what was asked, and what was answered."""


def run(version: str, work: Callable[[Spec], Answers]) -> None:
    """Answer the input, and write down what came of it."""
    spec = Spec(**json.loads(sys.argv[1]))
    start = time.perf_counter()
    answers, error = [], None
    try:
        answers = list(work(spec))
    except Exception as raised:  # of any library; the whole run is lost
        error = f"{type(raised).__name__}: {raised}".splitlines()[0][:300]
    taken = {"seconds": time.perf_counter() - start, "version": version, "error": error}
    Path(spec.result_path).write_text(json.dumps(taken | {"answers": answers}))


def questions(spec: Spec) -> list[dict[str, Any]]:
    """The rows of the input."""
    return [json.loads(line) for line in Path(spec.input_path).read_text().splitlines()]

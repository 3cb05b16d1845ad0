"""What batches of several providers have in common: jobs that go through states, and what was seen.

The plan's `batch` says how they misbehave, as far as it applies: `states` (if the last one is among
the job's own), `hold`, `rows`, `lose`, `room`, `page`, `forgotten`, `facts`. A job goes one step
each time that somebody looks at it; with `hold` it stays until `POST /_batch` moves it:
    {"id": "…", "state": "…", "done": 5}     5 rows were come to
Results come in the reverse of the order of the requests. Rows that were not come to are not there.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson

from tests.fault_server import answers
from tests.fault_server.answers import Answer
from tests.fault_server.bodies import row_name
from tests.fault_server.plan import BatchPlan, Plan

Given = dict[bytes, bytes]
"""The headers of a request, by their names in lower case."""


@dataclass
class Job:
    """A batch as it was asked for, and how far it is."""

    asked: dict[str, Any]
    requests: list[dict[str, Any]]
    state: str
    steps: list[str]
    created: float = field(default_factory=time.time)
    ended: float | None = None
    output: str | None = None
    counts: tuple[int, int] = (0, 0)


class Jobs(ABC):
    """Owns the jobs of one API."""

    STATES: ClassVar[tuple[str, ...]]
    ENDED: ClassVar[frozenset[str]]
    WRITES: ClassVar[frozenset[str]]
    """States of those with results."""
    REQUEST: ClassVar[str]
    """The field of a line with its request."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.batches: dict[str, Job] = {}
        self.counts: Counter[str] = Counter()
        self.row_counts: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    @property
    def how(self) -> BatchPlan:
        return self.plan.batch

    @abstractmethod
    def _answer(
        self, method: str, path: str, query: str, given: Given, body: bytes
    ) -> tuple[str, Answer] | None:
        """The step that a request is, and its answer; None for one of another API."""

    @abstractmethod
    def _facts(self, name: str) -> dict[str, Any]:
        """What is said of a job."""

    @abstractmethod
    def _line(self, request: dict[str, Any], row: str, asked: bytes) -> dict[str, Any]:
        """The line of a result."""

    @abstractmethod
    def _save(self, name: str, lines: list[dict[str, Any]]) -> str:
        """Put results where they are read, and say where that is."""

    def answer(
        self, method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Answer | None:
        """The answer to a request of this API; None for any other path."""
        bare, _, query = path.decode().partition("?")
        given = {name.lower(): value for name, value in headers}
        found = self._answer(method.decode(), bare, query, given, body)
        if found is None:
            return None
        step, reply = found
        self.counts[step] += 1
        if self._lost[step] < self.how.lose.get(step, 0):
            self._lost[step] += 1
            return Answer("lost", [], end="reset")
        return reply

    def move(self, value: dict[str, Any]) -> None:
        """Move a job to a state."""
        self._step(value["id"], value["state"], value.get("done"))

    def told(self) -> dict[str, Any]:
        """What was seen."""
        if not self.counts:
            return {}
        return {
            "batches": [self._facts(name) for name in self.batches],
            "counts": dict(self.counts),
            "rows": dict(self.row_counts),
        }

    @property
    def _is_full(self) -> bool:
        active = sum(job.state not in self.ENDED for job in self.batches.values())
        return self.how.room is not None and active >= self.how.room

    def _knows(self, name: str | None) -> bool:
        return name in self.batches and name not in self.how.forgotten

    def _begin(self, name: str, asked: dict[str, Any], content: bytes) -> None:
        requests = [orjson.loads(line) for line in content.splitlines()]
        is_own = self.how.states[-1] in self.ENDED
        states = list(self.how.states if is_own else self.STATES)
        self.batches[name] = Job(asked, requests, states.pop(0), states)
        self.row_counts.update(row_name(orjson.dumps(r[self.REQUEST])) for r in requests)
        self._step(name, self.batches[name].state, self.how.done)

    def _look(self, name: str) -> dict[str, Any]:
        job = self.batches[name]
        if job.steps and not self.how.hold:
            self._step(name, job.steps.pop(0), self.how.done)
        return self._facts(name)

    def _step(self, name: str, state: str, done: int | None) -> None:
        job = self.batches[name]
        job.state = state
        if state in self.ENDED:
            job.ended = time.time()
        if state in self.WRITES:
            self._write(name, job, done)

    def _write(self, name: str, job: Job, done: int | None) -> None:
        lines, good = [], 0
        for request in reversed(job.requests[:done]):
            asked = orjson.dumps(request[self.REQUEST])
            row = row_name(asked)
            good += row not in self.how.rows
            lines.append(self._line(request, row, asked))
        job.counts = good, len(lines) - good
        job.output = self._save(name, lines)

    def _shown(self, token: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """A page of the jobs, the newest first, and the token of the next one."""
        names = [name for name in reversed(self.batches) if name not in self.how.forgotten]
        start = int(token or 0)
        end = start + self.how.page
        more = {"token": str(end)} if end < len(names) else {}
        return [self._facts(name) for name in names[start:end]], more


def json_answer(value: Any) -> Answer:
    """A good answer."""
    return answers.plain(200, orjson.dumps(value))


def google_error(code: int, name: str, text: str) -> Answer:
    """What Google's APIs say."""
    error = {"code": code, "message": text, "status": name}
    return answers.plain(code, orjson.dumps({"error": error}))


def iso(seconds: float) -> str:
    """A time as text."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime(seconds))

"""Message batches in the shape of Anthropic's API, which misbehave as told.

The plan's `batch` says how, as far as it applies: `states` (if its last is "ended"), `hold`,
`done`, `rows`, `lose`, `room`, `page`. A batch goes one step each time that somebody looks at it;
with `hold` it stays until `POST /_batch` moves it:
    {"id": "msgbatch_1", "state": "ended", "done": 5}     5 rows were come to
The others have expired, or are canceled in a batch that was. Results come in reverse order.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from tests.fault_server import answers, batch_lines, bodies, messages
from tests.fault_server.answers import Answer
from tests.fault_server.plan import BatchPlan, Plan

_PATH = re.compile(r"/v1/messages/batches(?:/([\w.-]+))?(?:/(\w+))?$")
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_STATES = ("in_progress", "in_progress", "ended")
_MOST = 100_000


@dataclass
class _Batch:
    id: str
    requests: list[dict[str, Any]]
    state: str
    steps: list[str]
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    done: int | None = None  # rows that were come to; all of them
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    results: list[dict[str, Any]] = field(default_factory=list)


class MessageBatches:
    """Owns the batches."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.batches: dict[str, _Batch] = {}
        self.counts: Counter[str] = Counter()
        self.row_counts: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    @property
    def how(self) -> BatchPlan:
        return self.plan.batch

    def answer(self, method: bytes, path: bytes, host: str, body: bytes) -> Answer | None:
        """The answer to a request of this API; None for any other path."""
        bare, _, query = path.decode().partition("?")
        match = _PATH.search(bare)
        if match is None:
            return None
        name, verb = match.groups()
        step = f"{method.decode()} batches{'/' + verb if verb else ''}"
        self.counts[step] += 1
        reply = self._route(step, name, host, body, query)
        if self._lost[step] < self.how.lose.get(step, 0):
            self._lost[step] += 1
            return Answer("lost", [], end="reset")
        return reply

    def move(self, value: dict[str, Any]) -> None:
        """Move a batch to a state."""
        self._step(self.batches[value["id"]], value["state"], value.get("done"))

    def told(self) -> dict[str, Any]:
        """What was seen."""
        if not self.counts:
            return {}
        batches = [_facts(batch, "") for batch in self.batches.values()]
        return {"batches": batches, "counts": dict(self.counts), "rows": dict(self.row_counts)}

    def _route(self, step: str, name: str | None, host: str, body: bytes, query: str) -> Answer:
        batch = self.batches.get(name or "")
        match step:
            case "POST batches":
                return self._create(orjson.loads(body)["requests"], host)
            case "GET batches" if name is None:
                return _json(self._page(host, query))
            case _ if batch is None or name in self.how.forgotten:
                return _error(404, f"batch {name} not found")
            case "GET batches":
                if batch.steps and not self.how.hold:
                    self._step(batch, batch.steps.pop(0), self.how.done)
                return _json(_facts(batch, host) | self.how.facts)
            case "GET batches/results" if batch.results:
                lines = batch_lines.join(batch.results[::-1], self.how)
                return answers.plain(200, lines, {"content-type": "application/x-jsonl"})
            case "POST batches/cancel" if batch.state != "ended":
                return self._cancel(batch, host)
        return _error(400, f"batch {name} is {batch.state}")

    def _create(self, requests: list[dict[str, Any]], host: str) -> Answer:
        ids = [request["custom_id"] for request in requests]
        if len(set(ids)) < len(ids) or not all(map(_CUSTOM_ID.fullmatch, ids)):
            return _error(400, "requests: custom_id must be unique and match its pattern")
        active = sum(batch.state != "ended" for batch in self.batches.values())
        if len(ids) > _MOST or (self.how.room is not None and active >= self.how.room):
            return _error(429, "This would exceed your limit of batch requests in the queue")
        self.row_counts.update(bodies.row_name(orjson.dumps(r["params"])) for r in requests)
        states = list(self.how.states if self.how.states[-1] == "ended" else _STATES)
        batch = _Batch(f"msgbatch_{len(self.batches) + 1}", requests, "in_progress", states[1:])
        self.batches[batch.id] = batch
        return _json(_facts(batch, host))

    def _cancel(self, batch: _Batch, host: str) -> Answer:
        batch.state, batch.steps = "canceling", ["ended"]
        batch.canceled_at = datetime.now(UTC)
        return _json(_facts(batch, host))

    def _step(self, batch: _Batch, state: str, done: int | None) -> None:
        batch.state = state
        if state == "ended":
            batch.ended_at = datetime.now(UTC)
            batch.results = [
                {
                    "custom_id": request["custom_id"],
                    "result": self._result(
                        request["params"],
                        undone="canceled" if batch.canceled_at else "expired",
                        is_done=done is None or number < done,
                    ),
                }
                for number, request in enumerate(batch.requests)
            ]

    def _result(self, params: dict[str, Any], *, undone: str, is_done: bool) -> dict[str, Any]:
        if not is_done:
            return {"type": undone}
        row = bodies.row_name(body := orjson.dumps(params))
        code = self.how.rows.get(row, 200)
        if code == 200:
            message = orjson.loads(messages.completion(row, body, self.plan))
            return {"type": "succeeded", "message": message}
        return {"type": "errored", "error": orjson.loads(messages.error(code))}

    def _page(self, host: str, query: str) -> dict[str, Any]:
        facts = [_facts(batch, host) | self.how.facts for batch in self.batches.values()]
        facts = batch_lines.listed(facts[::-1], self.how)
        limit, after = (re.search(rf"{n}=([\w-]+)", query) for n in ("limit", "after_id"))
        start = [value["id"] for value in facts].index(after[1]) + 1 if after else 0
        end = start + min(int(limit[1]) if limit else 20, self.how.page)
        page = facts[start:end]
        ids = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return {"data": page, "has_more": end < len(facts), **ids}


def _facts(batch: _Batch, host: str) -> dict[str, Any]:
    counts = Counter(result["result"]["type"] for result in batch.results)
    kinds = ("succeeded", "errored", "canceled", "expired")
    url = f"http://{host}/v1/messages/batches/{batch.id}/results"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": batch.state,
        "request_counts": {
            "processing": 0 if batch.results else len(batch.requests),
            **{kind: counts[kind] for kind in kinds},
        },
        "created_at": batch.created.isoformat(),
        "expires_at": (batch.created + timedelta(days=1)).isoformat(),
        "ended_at": batch.ended_at and batch.ended_at.isoformat(),
        "cancel_initiated_at": batch.canceled_at and batch.canceled_at.isoformat(),
        "archived_at": None,
        "results_url": url if batch.results else None,
    }


def _json(value: Any) -> Answer:
    return answers.plain(200, orjson.dumps(value))


def _error(code: int, text: str) -> Answer:
    error = orjson.loads(messages.error(code))
    error["error"]["message"] = text
    return answers.plain(code, orjson.dumps(error))

"""Files and batches in the shape of OpenAI's API (or another's), which misbehave as told.

The plan's `batch` says how, see BatchPlan. A batch goes one step through `states` each time that
somebody looks at it; with `hold` it stays where it is until `POST /_batch` moves it:
    {"id": "batch_1", "state": "expired", "done": 5}     5 rows have an answer
    {"plan": {…}}                                        misbehave otherwise from now on
`GET /_batch` tells what was seen. Results come in the reverse of the order of the requests.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.fault_server import answers, batch_forms, batch_lines, bodies
from tests.fault_server.answers import Answer
from tests.fault_server.forms import CHAT, find_form
from tests.fault_server.plan import BatchPlan, Plan
from tests.fault_server.uploads import read_form

_PATH = re.compile(r"/(?:v1|openai)/(files|batches)(?:/([\w.-]+))?(?:/(\w+))?$")
_OWN_PATHS = {"/files/upload": "/files", "/batch/jobs": "/batches"}  # Together, Mistral
_TIMES = {
    "in_progress": "in_progress_at",
    "finalizing": "finalizing_at",
    "completed": "completed_at",
    "failed": "failed_at",
    "expired": "expired_at",
    "cancelling": "cancelling_at",
    "cancelled": "cancelled_at",
}
_ENDED = {"completed", "failed", "expired", "cancelled"}
_ROOM = "Enqueued token limit reached for gpt-4 in organization org-x. Limit: 90,000 tokens."


@dataclass
class _File:
    id: str
    name: str
    purpose: str
    content: bytes
    checks: int = 0  # looks until it is checked

    def facts(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": int(time.time()),
            "filename": self.name,
            "purpose": self.purpose,
            "status": "pending" if self.checks > 0 else "processed",
            "sample_type": "batch_request",  # as Mistral tells besides
            "source": "upload",
        }


@dataclass
class _Batch:
    id: str
    input: _File
    asked: dict[str, Any]
    state: str
    requests: list[dict[str, Any]]
    steps: list[str] = field(default_factory=list)
    done: int | None = None  # rows with an answer; all of them
    times: dict[str, int] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    output: str | None = None
    error_output: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    late: int = 0  # looks until the output is told of

    def move(self, state: str) -> None:
        self.state = state
        if name := _TIMES.get(state.lower()):
            self.times[name] = int(time.time())


class Batches:
    """Owns files and batches."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.files: dict[str, _File] = {}
        self.batches: dict[str, _Batch] = {}
        self.counts: Counter[str] = Counter()
        self.row_counts: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    @property
    def how(self) -> BatchPlan:
        return self.plan.batch

    def answer(self, method: bytes, path: bytes, headers: Any, body: bytes) -> Answer | None:
        """The answer to a request of this API; None for any other path."""
        bare, _, query = path.decode().partition("?")
        for own, usual in _OWN_PATHS.items():
            bare = bare.replace(own, usual)
        match = _PATH.search(bare)
        if match is None or not self.how.offered:
            return None
        kind, name, verb = match.groups()
        step = f"{method.decode()} {kind}{'/' + verb if verb else ''}"
        self.counts[step] += 1
        reply = self._route(step, name, headers, body, query)
        if self._lost[step] < self.how.lose.get(step, 0):
            self._lost[step] += 1
            return Answer("lost", [], end="reset")
        return reply

    def move(self, value: dict[str, Any]) -> None:
        """Move a batch to a state."""
        self._end(self.batches[value["id"]], value["state"], value.get("done"))

    def told(self) -> dict[str, Any]:
        """What was seen."""
        return {
            "batches": [self._facts(batch) for batch in self.batches.values()],
            "files": [file.facts() for file in self.files.values()],
            "counts": dict(self.counts),
            "rows": dict(self.row_counts),
        }

    def _route(self, step: str, name: str | None, headers: Any, body: bytes, query: str) -> Answer:
        match step:
            case "POST files":
                return _json(self._upload(headers, body))
            case "GET files" if name is None:
                return self._page([file.facts() for file in self.files.values()], query)
            case "GET files" if name in self.files:
                self.files[name].checks -= 1
                return _json(self.files[name].facts())
            case "GET files/content" if name in self.files:
                return self._content(self.files[name])
            case "POST batches":
                return self._create(orjson.loads(body))
            case "GET batches" if name is None:
                newest = [self._facts(batch) for batch in reversed(self.batches.values())]
                return self._page(batch_lines.listed(newest, self.how), query)
            case _ if name in self.how.forgotten:
                return _error(404, f"No such object: {name}")
            case "GET batches" if name in self.batches:
                self._look(self.batches[name])
                return _json(self._facts(self.batches[name]))
            case "POST batches/cancel" if name in self.batches:
                return self._cancel(self.batches[name])
        return _error(404, f"No such object: {name}")

    def _upload(self, headers: Any, body: bytes) -> dict[str, Any]:
        fields, file_name, content = read_form(headers, body)
        purpose = fields["purpose"]
        assert purpose == ("batch-api" if self.how.form == "together" else "batch")
        return self._file(fields.get("file_name", file_name), purpose, content).facts()

    def _file(self, name: str, purpose: str, content: bytes) -> _File:
        checks = self.how.checks if purpose == "batch" else 0
        file = _File(f"file-{len(self.files) + 1}", name, purpose, content, checks)
        self.files[file.id] = file
        return file

    def _content(self, file: _File) -> Answer:
        self.counts[file.purpose] += 1
        if file.purpose == "batch_output" and self.counts["batch_output"] <= self.how.content_lag:
            return _error(404, f"No such File object: {file.id}")
        content = file.content
        if file.purpose == "batch_output" and self.counts["batch_output"] <= self.how.short:
            content = content[: len(content) // 2].rpartition(b"\n")[0] + b"\n"
        return answers.plain(200, content, {"content-type": "application/octet-stream"})

    def _create(self, asked: dict[str, Any]) -> Answer:
        name = asked["input_files"][0] if "input_files" in asked else asked["input_file_id"]
        file = self.files.get(name)
        if file is None:
            return _error(400, f"Cannot find file {name}")
        active = sum(b.state.lower() not in _ENDED for b in self.batches.values())
        is_full = self.how.room is not None and active >= self.how.room
        if is_full and self.how.refuse == "429":
            return _error(429, _ROOM, "token_limit_exceeded")
        requests = [orjson.loads(line) for line in file.content.splitlines()]
        if problem := batch_forms.refusal(self.how.form, asked, requests, file.checks):
            return _error(400, problem)
        steps = list(self.how.states)
        batch = _Batch(f"batch_{len(self.batches) + 1}", file, asked, steps.pop(0), requests)
        batch.steps, batch.late = steps, self.how.output_lag
        self.batches[batch.id] = batch
        if is_full:
            batch.errors = [{"code": "token_limit_exceeded", "message": _ROOM, "line": None}]
            batch.steps = ["failed"]
        else:
            self.row_counts.update(bodies.row_name(orjson.dumps(r["body"])) for r in requests)
            self._end(batch, batch.state, self.how.done)
        facts = self._facts(batch)
        return _json({"job": facts} if self.how.form == "together" else facts)

    def _cancel(self, batch: _Batch) -> Answer:
        if batch.state.lower() in _ENDED:
            return _error(409, f"Cannot cancel a batch with status '{batch.state}'.")
        batch.move("cancelling")
        batch.steps = ["cancelled"]
        batch.done = self.how.done
        return _json(self._facts(batch))

    def _look(self, batch: _Batch) -> None:
        """A step on the way of a batch, as somebody looks."""
        if batch.errors and batch.steps:
            batch.move(batch.steps.pop())
        elif batch.steps and not self.how.hold:
            state = batch.steps.pop(0)
            self._end(batch, state, batch.done if batch.done is not None else self.how.done)
        elif batch.state.lower() in _ENDED and batch.late:
            batch.late -= 1

    def _end(self, batch: _Batch, state: str, done: int | None) -> None:
        batch.move(state)
        if state.lower() in _ENDED - {"failed"}:
            self._write(batch, done)

    def _write(self, batch: _Batch, done: int | None) -> None:
        """The files of answers and of errors."""
        answered, failed = [], []
        for number, request in enumerate(batch.requests):
            line = self._outcome(request, done is None or number < done, batch.state.lower())
            if line is not None:
                good = (line["response"] or {}).get("status_code") == 200
                (answered if good else failed).append(line)
        total = len(batch.requests)
        batch.counts = {"total": total, "completed": len(answered), "failed": len(failed)}
        if answered:
            batch.output = self._file("output.jsonl", "batch_output", self._lines(answered)).id
        if failed:
            batch.error_output = self._file("errors.jsonl", "batch_errors", self._lines(failed)).id

    def _outcome(self, request: dict[str, Any], is_done: bool, state: str) -> dict[str, Any] | None:
        row = bodies.row_name(body := orjson.dumps(request["body"]))
        line = {"id": f"batch_req_{row}", "custom_id": request["custom_id"]}
        if not is_done:
            if not self.how.names_undone:
                return None
            error = {"code": f"batch_{state}", "message": f"This batch is {state}."}
            return {**line, "response": None, "error": error}
        code = self.how.rows.get(row, 200)
        if not isinstance(code, int):
            return {**line, "response": None, "error": code}
        said = (find_form(b"POST", request.get("url", "").encode()) or CHAT).bodies
        made = said.completion(row, body, self.plan) if code == 200 else said.error(code)
        response = {"status_code": code, "request_id": "r", "body": orjson.loads(made)}
        return {**line, "response": response, "error": None}

    def _facts(self, batch: _Batch) -> dict[str, Any]:
        counts = batch.counts or {"total": len(batch.requests), "completed": 0, "failed": 0}
        told = not batch.late
        facts = {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.asked["endpoint"],
            "input_file_id": batch.input.id,
            "completion_window": batch.asked.get("completion_window", "24h"),
            "status": batch.state,
            "created_at": int(time.time()),
            "expires_at": int(time.time()) + 86400,
            "output_file_id": batch.output if told else None,
            "error_file_id": batch.error_output if told else None,
            "errors": {"data": batch.errors} if batch.state == "failed" else None,
            "request_counts": None if self.how.null_counts else counts,
            "model": batch.asked.get("model"),
            "metadata": batch.asked.get("metadata") if self.how.metadata else None,
            **batch.times,
        }
        return batch_forms.tell(self.how.form, facts) | self.how.facts

    def _lines(self, values: list[dict[str, Any]]) -> bytes:
        return batch_lines.join(values[::-1], self.how)

    def _page(self, values: list[dict[str, Any]], query: str) -> Answer:
        return _json(batch_forms.page(self.how.form, values, query, self.how.page))


def _json(value: Any) -> Answer:
    return answers.plain(200, orjson.dumps(value))


def _error(code: int, text: str, name: str | None = None) -> Answer:
    error = {"message": text, "type": "invalid_request_error", "code": name, "param": None}
    return answers.plain(code, orjson.dumps({"error": error}))

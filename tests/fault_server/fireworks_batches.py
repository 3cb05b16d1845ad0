"""Datasets and batch inference jobs in the shape of Fireworks' API, which misbehave as told.

The plan's `batch` says how, as far as it applies: `states` (if its last begins with "JOB_STATE"),
`hold`, `done`, `rows`, `lose`, `room`, `page`, `content_lag`, `accounts`. A job goes one step each
time that somebody looks at it; with `hold` it stays until `POST /_batch` moves it:
    {"id": "…", "state": "JOB_STATE_EXPIRED", "done": 5}     5 rows were come to
Rows that were not come to are named nowhere. Results come in reverse order.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import unquote_plus

import orjson

from tests.fault_server import answers, batch_lines, bodies
from tests.fault_server.answers import Answer
from tests.fault_server.plan import BatchPlan, Plan
from tests.fault_server.uploads import read_form

_PATH = re.compile(
    r"/v1/accounts(?:/([\w-]+)/(datasets|batchInferenceJobs)(?:/([\w.-]+))?(?::(\w+))?)?$"
)
_SIGNED = re.compile(r"/signed/([\w.-]+)/([\w.-]+)$")
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_STATES = tuple(f"JOB_STATE_{word}" for word in ("VALIDATING", "PENDING", "RUNNING", "COMPLETED"))
_WRITES = {"JOB_STATE_COMPLETED", "JOB_STATE_EXPIRED", "JOB_STATE_EARLY_STOPPED"}
_ENDED = {*_WRITES, "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"}


@dataclass
class _Dataset:
    examples: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    title: str = ""


@dataclass
class _Job:
    asked: dict[str, Any]
    requests: list[dict[str, Any]]
    state: str
    steps: list[str]
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    counts: tuple[int, int] = (0, 0)


class FireworksBatches:
    """Owns datasets and jobs."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.datasets: dict[str, _Dataset] = {}
        self.batches: dict[str, _Job] = {}
        self.counts: Counter[str] = Counter()
        self.row_counts: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    @property
    def how(self) -> BatchPlan:
        return self.plan.batch

    def answer(
        self, method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Answer | None:
        """The answer to a request of this API; None for any other path."""
        bare, _, query = path.decode().partition("?")
        host = {name.lower(): value for name, value in headers}
        if match := _SIGNED.search(bare):
            return self._signed(*match.groups(), has_key=b"authorization" in host)
        match = _PATH.search(bare)
        if match is None:
            return None
        account, kind, name, verb = match.groups()
        if account is None:
            return _json({"accounts": [{"name": f"accounts/{a}"} for a in self.how.accounts]})
        if account not in self.how.accounts:
            return _error(403, "account not found or no permission")
        step = f"{method.decode()} {kind}{':' + verb if verb else ''}"
        self.counts[step] += 1
        is_there = name is None or name not in self.how.forgotten
        reply = self._route(step if is_there else "", name, headers, body, unquote_plus(query))
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
        batches = [self._facts(name) for name in self.batches]
        return {
            "batches": batches,
            "datasets": {name: list(d.files) for name, d in self.datasets.items()},
            "counts": dict(self.counts),
            "rows": dict(self.row_counts),
        }

    def _route(self, step: str, name: str | None, headers: Any, body: bytes, query: str) -> Answer:
        match step:
            case "POST datasets":
                return self._make_dataset(orjson.loads(body))
            case "POST datasets:upload" if name in self.datasets:
                return self._upload(name, headers, body)
            case "GET datasets" if name in self.datasets:
                return _json(self._dataset_facts(name))
            case "GET datasets:getDownloadEndpoint" if name in self.datasets:
                return self._endpoint(name, headers)
            case "POST batchInferenceJobs":
                return self._create(query, orjson.loads(body))
            case "GET batchInferenceJobs" if name is None:
                return _json(self._page(query))
            case "GET batchInferenceJobs" if name in self.batches:
                job = self.batches[name]
                if job.steps and not self.how.hold:
                    self._step(name, job.steps.pop(0), self.how.done)
                return _json(self._facts(name))
            case "DELETE batchInferenceJobs" if name in self.batches:
                del self.batches[name]
                return _json({})
        return _error(404, "resource not found")

    def _make_dataset(self, asked: dict[str, Any]) -> Answer:
        name, dataset = asked["datasetId"], asked["dataset"]
        if name in self.datasets:
            return _error(409, "dataset already exists")
        if not _ID.fullmatch(name) or not dataset.get("exampleCount"):
            return _error(400, "example_count is required for uploaded datasets, and a good id")
        title = dataset.get("displayName", "")
        self.datasets[name] = _Dataset(dataset["exampleCount"], title=title)
        return _json(self._dataset_facts(name))

    def _upload(self, name: str, headers: Any, body: bytes) -> Answer:
        dataset = self.datasets[name]
        if dataset.files:
            return _error(400, "dataset is not in the state UPLOADING")
        _, file_name, content = read_form(headers, body)
        dataset.files[file_name] = content
        return _json({"id": name, "object": "file", "bytes": len(content), "filename": file_name})

    def _dataset_facts(self, name: str) -> dict[str, Any]:
        dataset = self.datasets[name]
        return {
            "name": f"accounts/{self.how.accounts[0]}/datasets/{name}",
            "displayName": dataset.title,
            "exampleCount": dataset.examples,
            "state": "READY" if dataset.files else "UPLOADING",
        }

    def _endpoint(self, name: str, headers: Any) -> Answer:
        self.counts[f"endpoint of {name}"] += 1
        if name.endswith("-out") and self.counts[f"endpoint of {name}"] <= self.how.content_lag:
            return _error(404, "resource not found")
        host = next(str(v, "ascii") for k, v in headers if k.lower() == b"host")
        files = self.datasets[name].files
        urls = {f"dataset/{name}/{file}": f"http://{host}/signed/{name}/{file}" for file in files}
        return _json({"filenameToSignedUrls": urls})

    def _signed(self, name: str, file: str, *, has_key: bool) -> Answer:
        if has_key:
            return _error(400, "Only one auth mechanism allowed")
        self.counts["signed"] += 1
        return answers.plain(200, self.datasets[name].files[file], {"content-type": "text/plain"})

    def _create(self, query: str, asked: dict[str, Any]) -> Answer:
        found = re.search(r"batchInferenceJobId=([\w-]+)", query)
        name = found[1] if found else f"job-{len(self.batches) + 1}"
        if name in self.batches:
            return _error(409, "job already exists")
        dataset = self.datasets[asked["inputDatasetId"].rpartition("/")[2]]
        if not dataset.files or not asked.get("model"):
            return _error(400, "dataset is not ready, or no model is named")
        active = sum(job.state not in _ENDED for job in self.batches.values())
        if self.how.room is not None and active >= self.how.room:
            return _error(429, "quota of batch inference jobs exceeded")
        lines = b"".join(dataset.files.values()).splitlines()
        requests = [orjson.loads(line) for line in lines]
        self.row_counts.update(bodies.row_name(orjson.dumps(r["body"])) for r in requests)
        states = list(self.how.states if self.how.states[-1][:9] == "JOB_STATE" else _STATES)
        self.batches[name] = _Job(asked, requests, states.pop(0), states)
        self._step(name, self.batches[name].state, self.how.done)
        return _json(self._facts(name))

    def _step(self, name: str, state: str, done: int | None) -> None:
        job = self.batches[name]
        job.state = state
        if state in _ENDED:
            job.ended = datetime.now(UTC)
        if state in _WRITES:
            self._write(job, job.requests[:done])

    def _write(self, job: _Job, requests: list[dict[str, Any]]) -> None:
        """The dataset of answers and of errors."""
        answered, failed = [], []
        for request in reversed(requests):
            row = bodies.row_name(body := orjson.dumps(request["body"]))
            code = self.how.rows.get(row, 200)
            if code == 200:
                made = orjson.loads(bodies.completion(row, body, self.plan))
                answered.append({"custom_id": request["custom_id"], "response": made})
            else:
                error = orjson.loads(bodies.error(code))["error"] if isinstance(code, int) else code
                error = {**error, "code": code} if isinstance(code, int) else error
                failed.append({"custom_id": request["custom_id"], "error": error})
        job.counts = len(answered), len(failed)
        lines = partial(batch_lines.join, how=self.how)
        files = {"BIJOutputSet.jsonl": lines(answered), "error-data": lines(failed)}
        output = job.asked.get("outputDatasetId", "out").rpartition("/")[2]
        self.datasets[output] = _Dataset(str(len(answered)), files)

    def _page(self, query: str) -> dict[str, Any]:
        gone = () if self.how.lists_forgotten else self.how.forgotten
        names = [name for name in self.batches if name not in gone]
        if "orderBy=created_time desc" in query:
            names.reverse()
        token = re.search(r"pageToken=(\d+)", query)
        start = int(token[1]) if token else 0
        end = start + self.how.page
        more = {"nextPageToken": str(end)} if end < len(names) else {}
        return {"batchInferenceJobs": [self._facts(name) for name in names[start:end]], **more}

    def _facts(self, name: str) -> dict[str, Any]:
        job = self.batches[name]
        done, failed = job.counts
        status = {"code": "OK", "message": ""}
        if job.state == "JOB_STATE_FAILED":
            status = {"code": "INVALID_ARGUMENT", "message": "Dataset has a syntax error"}
        return {
            "name": f"accounts/{self.how.accounts[0]}/batchInferenceJobs/{name}",
            "createTime": job.created.isoformat(),
            "updateTime": (job.ended or job.created).isoformat(),
            "expireTime": (job.created + timedelta(days=1)).isoformat(),
            "state": job.state,
            "status": status,
            "inferenceParameters": {"extraBody": "{}"},
            **job.asked,
            "jobProgress": {
                "totalInputRequests": len(job.requests),
                "totalProcessedRequests": done + failed,
                "successfullyProcessedRequests": done,
                "failedRequests": failed,
            },
            **self.how.facts,
        }


def _json(value: Any) -> Answer:
    return answers.plain(200, orjson.dumps(value))


def _error(code: int, text: str) -> Answer:
    return answers.plain(code, orjson.dumps({"code": code, "message": text, "details": []}))

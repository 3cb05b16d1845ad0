"""Batch prediction jobs in the shape of Vertex AI's API, which misbehave as told; see jobs.py.

Their files lie in the buckets of buckets.py. A line of results repeats its request.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

import orjson

from tests.fault_server import generate_content
from tests.fault_server.answers import Answer
from tests.fault_server.buckets import Buckets
from tests.fault_server.jobs import Given, Jobs, google_error, iso, json_answer
from tests.fault_server.plan import Plan

_PATH = re.compile(
    r"/v1/(projects/[\w-]+/locations/[\w-]+)/batchPredictionJobs(?:/(\d+))?(:cancel)?$"
)


class VertexBatches(Jobs):
    """Owns jobs."""

    STATES = ("JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED")
    ENDED = frozenset(f"JOB_STATE_{w}" for w in ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"))
    WRITES = frozenset({"JOB_STATE_SUCCEEDED", "JOB_STATE_CANCELLED"})
    REQUEST = "request"

    def __init__(self, plan: Plan, buckets: Buckets):
        super().__init__(plan)
        self._files = buckets.files
        self._parent = ""

    def _answer(
        self, method: str, path: str, query: str, given: Given, body: bytes
    ) -> tuple[str, Answer] | None:
        if (match := _PATH.match(path)) is None:
            return None
        self._parent, name, verb = match.groups()
        step = f"{method} {'job' if name else 'jobs'}{verb or ''}"
        asked = {key: values[0] for key, values in parse_qs(query).items()}
        return step, self._route(step, name, asked, body)

    def _route(self, step: str, name: str, asked: dict[str, str], body: bytes) -> Answer:
        match step:
            case "POST jobs":
                return self._create(orjson.loads(body))
            case "GET jobs":
                shown, more = self._shown(asked.get("pageToken", ""))
                wanted = asked.get("filter", "").removeprefix('display_name="').removesuffix('"')
                found = [job for job in shown if wanted in ("", job["displayName"])]
                following = {"nextPageToken": more["token"]} if more else {}
                return json_answer({"batchPredictionJobs": found, **following})
            case "GET job" if self._knows(name):
                return json_answer(self._look(name))
            case "POST job:cancel" if self._knows(name):
                self.batches[name].steps = ["JOB_STATE_CANCELLED"]
                return json_answer({})
        return google_error(404, "NOT_FOUND", "The BatchPredictionJob does not exist.")

    def _create(self, asked: dict[str, Any]) -> Answer:
        if self._is_full:
            return google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.")
        [uri] = asked["inputConfig"]["gcsSource"]["uris"]
        name = str(1000 + len(self.batches))
        self._begin(name, asked, self._files[uri])
        return json_answer(self._facts(name))

    def _line(self, request: dict[str, Any], row: str, asked: bytes) -> dict[str, Any]:
        line = {"status": "", "processed_time": "2026-11-27T13:00:00.000+00:00", **request}
        if row in self.how.rows:
            error = {"error": {"code": self.how.rows[row], "message": "Too long"}}
            return {
                **line,
                "status": f"Bad Request: {orjson.dumps(error).decode()}",
                "response": {},
            }
        return {**line, "response": generate_content.reply(row, asked, self.plan)}

    def _save(self, name: str, lines: list[dict[str, Any]]) -> str:
        root = self.batches[name].asked["outputConfig"]["gcsDestination"]["outputUriPrefix"]
        folder = f"{root}prediction-model-2026-11-27T13:00:00.000000Z"
        self._files[f"{folder}/predictions.jsonl"] = b"".join(
            orjson.dumps(line) + b"\n" for line in lines
        )
        return folder

    def _facts(self, name: str) -> dict[str, Any]:
        job = self.batches[name]
        done, failed = job.counts
        counts = {
            "successfulCount": str(done),
            "failedCount": str(failed),
            "incompleteCount": str(len(job.requests) - done - failed),
        }
        is_failed = job.state == "JOB_STATE_FAILED"
        return {
            **job.asked,
            "name": f"{self._parent}/batchPredictionJobs/{name}",
            "state": job.state,
            "createTime": iso(job.created),
            "completionStats": counts,
            **({"endTime": iso(job.ended)} if job.ended else {}),
            **({"outputInfo": {"gcsOutputDirectory": job.output}} if job.output else {}),
            **({"error": {"code": 3, "message": "The input has no rows"}} if is_failed else {}),
            **self.how.facts,
        }

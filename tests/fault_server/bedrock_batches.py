"""Model invocation jobs in the shape of Bedrock's API, which misbehave as told; see jobs.py.

A token makes a job but once. Their files lie in the buckets of buckets.py.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from tests.fault_server import answers, converse
from tests.fault_server.answers import Answer
from tests.fault_server.buckets import Buckets
from tests.fault_server.jobs import Given, Jobs, iso, json_answer
from tests.fault_server.plan import Plan

_PATH = re.compile(r"/model-invocation-job(s)?(?:/([^/]+))?(/stop)?$")
_ARN = "arn:aws:bedrock:eu-central-1:123456789012:model-invocation-job/"
_TOKEN = re.compile(r"[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}")
_NAME = re.compile(r"[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\+\-\.]){0,63}")


class BedrockBatches(Jobs):
    """Owns jobs."""

    STATES = ("Submitted", "InProgress", "Completed")
    ENDED = frozenset({"Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"})
    WRITES = frozenset({"Completed", "PartiallyCompleted", "Stopped"})
    REQUEST = "modelInput"

    def __init__(self, plan: Plan, buckets: Buckets):
        super().__init__(plan)
        self._files = buckets.files

    def _answer(
        self, method: str, path: str, query: str, given: Given, body: bytes
    ) -> tuple[str, Answer] | None:
        if (match := _PATH.match(path)) is None:
            return None
        step = f"{method} job{match[1] or ''}{match[3] or ''}"
        if b"/bedrock/aws4_request" not in given.get(b"authorization", b""):
            return step, _error(403, "AccessDeniedException", "not signed")
        name = unquote(match[2] or "").rpartition("/")[2]
        asked = {key: values[0] for key, values in parse_qs(query).items()}
        return step, self._route(step, name, asked, body)

    def _route(self, step: str, name: str, asked: dict[str, str], body: bytes) -> Answer:
        match step:
            case "POST job":
                return self._create(orjson.loads(body))
            case "GET jobs":
                shown, more = self._shown(asked.get("nextToken", ""))
                wanted = [job for job in shown if asked.get("nameContains", "") in job["jobName"]]
                following = {"nextToken": more["token"]} if more else {}
                return json_answer({"invocationJobSummaries": wanted, **following})
            case "GET job" if self._knows(name):
                return json_answer(self._look(name))
            case "POST job/stop" if self._knows(name):
                return self._stop(name)
        return _error(404, "ResourceNotFoundException", "Job not found")

    def _create(self, asked: dict[str, Any]) -> Answer:
        assert _NAME.fullmatch(asked["jobName"])
        assert _TOKEN.fullmatch(asked["clientRequestToken"])
        assert 24 <= asked["timeoutDurationInHours"] <= 168
        for name, job in self.batches.items():
            if job.asked["clientRequestToken"] == asked["clientRequestToken"]:
                return json_answer({"jobArn": _ARN + name})
        if self._is_full:
            return _error(429, "ServiceQuotaExceededException", "Too many jobs")
        name = f"job{len(self.batches):09d}"
        uri = asked["inputDataConfig"]["s3InputDataConfig"]["s3Uri"]
        self._begin(name, asked, self._files[uri])
        return json_answer({"jobArn": _ARN + name})

    def _stop(self, name: str) -> Answer:
        job = self.batches[name]
        if job.state in self.ENDED:
            return _error(409, "ConflictException", "The job has ended")
        job.state, job.steps = "Stopping", ["Stopped"]
        return json_answer({})

    def _line(self, request: dict[str, Any], row: str, asked: bytes) -> dict[str, Any]:
        line = {"recordId": request["recordId"], "modelInput": request["modelInput"]}
        if row in self.how.rows:
            error = {"errorCode": self.how.rows[row], "errorMessage": "Too long", "expired": False}
            return {**line, "error": error}
        return {**line, "modelOutput": orjson.loads(converse.completion(row, asked, self.plan))}

    def _save(self, name: str, lines: list[dict[str, Any]]) -> str:
        asked = self.batches[name].asked
        root = asked["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
        file = asked["inputDataConfig"]["s3InputDataConfig"]["s3Uri"].rpartition("/")[2]
        output = f"{root}{name}/{file}.out"
        self._files[output] = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        self._files[f"{root}{name}/manifest.json.out"] = b"{}"
        return output

    def _facts(self, name: str) -> dict[str, Any]:
        job = self.batches[name]
        done, failed = job.counts
        message = {"message": "Less than 100 records"} if job.state == "Failed" else {}
        return {
            **job.asked,
            "jobArn": _ARN + name,
            "status": job.state,
            "submitTime": iso(job.created),
            "lastModifiedTime": iso(job.ended or job.created),
            "jobExpirationTime": iso(job.created + 86400),
            "totalRecordCount": len(job.requests),
            "processedRecordCount": done + failed,
            "successRecordCount": done,
            "errorRecordCount": failed,
            **({"endTime": iso(job.ended)} if job.ended else {}),
            **message,
            **self.how.facts,
        }


def _error(code: int, name: str, text: str) -> Answer:
    return answers.plain(code, orjson.dumps({"message": text}), {"x-amzn-errortype": name})

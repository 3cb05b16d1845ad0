"""Files and batches in the shape of Google's Gemini API, which misbehave as told; see jobs.py.

No endpoint beside the chat API takes the key in another header than its own.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.fault_server import answers, generate_content
from tests.fault_server.answers import Answer
from tests.fault_server.jobs import Given, Jobs, google_error, iso, json_answer
from tests.fault_server.plan import Plan

_UPLOAD = "/upload/v1beta/files"
_SESSION = re.compile(r"/upload-session/(\d+)$")
_PATH = re.compile(r"/v1beta/(files|batches|models)(?:/([\w.-]+))?(?::(\w+))?$")
_NOT_FOUND = (404, "NOT_FOUND", "Requested entity was not found.")


class GeminiBatches(Jobs):
    """Owns files and batches."""

    STATES = ("BATCH_STATE_PENDING", "BATCH_STATE_RUNNING", "BATCH_STATE_SUCCEEDED")
    ENDED = frozenset(f"BATCH_STATE_{w}" for w in ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"))
    WRITES = frozenset({"BATCH_STATE_SUCCEEDED"})
    REQUEST = "request"

    def __init__(self, plan: Plan):
        super().__init__(plan)
        self.files: dict[str, bytes] = {}
        self.names: list[str] = []  # of uploads that were begun

    def _answer(
        self, method: str, path: str, query: str, given: Given, body: bytes
    ) -> tuple[str, Answer] | None:
        if match := _SESSION.search(path):
            return "POST session", self._finish_upload(int(match[1]), given, body)
        if path.endswith(_UPLOAD):
            refused = self._refusal(given)
            return "POST files", refused or self._begin_upload(given, orjson.loads(body))
        if (match := _PATH.search(path)) is None:
            return None
        kind, name, verb = match.groups()
        step = f"{method} {kind}{':' + verb if verb else ''}"
        return step, self._refusal(given) or self._route(step, name, body, query)

    def _refusal(self, given: Given) -> Answer | None:
        if b"authorization" in given or b"x-goog-api-key" not in given:
            return google_error(401, "UNAUTHENTICATED", "Invalid authentication credentials.")
        return None

    def _begin_upload(self, given: Given, asked: dict[str, Any]) -> Answer:
        assert given[b"x-goog-upload-protocol"] == b"resumable"
        assert given[b"x-goog-upload-header-content-type"] == b"application/jsonl"
        file = asked.get("file", asked)  # the official SDK leaves the envelope out
        self.names.append(file.get("display_name", ""))
        url = f"http://{given[b'host'].decode()}/upload-session/{len(self.names) - 1}"
        return answers.plain(200, b"", {"x-goog-upload-url": url, "x-goog-upload-status": "active"})

    def _finish_upload(self, number: int, given: Given, body: bytes) -> Answer:
        assert given[b"x-goog-upload-command"] == b"upload, finalize"
        name = f"files/up{number}x{len(self.files)}"
        self.files[name] = body
        facts = {"name": name, "displayName": self.names[number], "sizeBytes": str(len(body))}
        reply = orjson.dumps({"file": {**facts, "state": "ACTIVE"}})
        return answers.plain(200, reply, {"x-goog-upload-status": "final"})

    def _route(self, step: str, name: str | None, body: bytes, query: str) -> Answer:
        match step:
            case "GET files:download" if f"files/{name}" in self.files and "alt=media" in query:
                return self._download(f"files/{name}")
            case "POST models:batchGenerateContent":
                return self._create(str(name), orjson.loads(body)["batch"])
            case "GET batches" if name is None:
                token = re.search(r"pageToken=(\d+)", query)
                shown, more = self._shown(token[1] if token else "")
                following = {"nextPageToken": more["token"]} if more else {}
                return json_answer({"operations": shown, **following})
            case "GET batches" if self._knows(name):
                return json_answer(self._look(str(name)))
            case "POST batches:cancel" if self._knows(name):
                return self._cancel(str(name))
        return google_error(*_NOT_FOUND)

    def _create(self, model: str, asked: dict[str, Any]) -> Answer:
        if self._is_full:
            return google_error(429, "RESOURCE_EXHAUSTED", "Quota of enqueued tokens exceeded.")
        name = f"b{len(self.batches)}"
        asked = {**asked, "model": f"models/{model}"}
        self._begin(name, asked, self.files[asked["inputConfig"]["fileName"]])
        return json_answer(self._facts(name))

    def _cancel(self, name: str) -> Answer:
        job = self.batches[name]
        if job.state in self.ENDED:
            return google_error(400, "FAILED_PRECONDITION", "The batch has ended.")
        job.steps = ["BATCH_STATE_CANCELLED"]
        return json_answer({})

    def _line(self, request: dict[str, Any], row: str, asked: bytes) -> dict[str, Any]:
        if row in self.how.rows:
            return {"key": request["key"], "error": self.how.rows[row]}
        reply = generate_content.reply(row, asked, self.plan)
        return {"key": request["key"], "response": reply}

    def _save(self, name: str, lines: list[dict[str, Any]]) -> str:
        output = f"files/batch-{name}"
        self.files[output] = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        return output

    def _download(self, name: str) -> Answer:
        self.counts["download"] += 1
        if self.counts["download"] <= self.how.content_lag:
            return google_error(*_NOT_FOUND)
        return answers.plain(200, self.files[name], {"content-type": "application/octet-stream"})

    def _facts(self, name: str) -> dict[str, Any]:
        job = self.batches[name]
        done, failed = job.counts
        counts = {
            "requestCount": len(job.requests),
            "successfulRequestCount": done,
            "failedRequestCount": failed,
        }
        facts = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            **job.asked,
            "createTime": iso(job.created),
            "state": job.state,
            "name": f"batches/{name}",
            "batchStats": {key: str(value) for key, value in counts.items()},
            **({"endTime": iso(job.ended)} if job.ended else {}),
            **({"output": {"responsesFile": job.output}} if job.output else {}),
            **self.how.facts,
        }
        failure = {"error": {"code": 13, "message": "The file has a syntax error"}}
        is_failed = job.state == "BATCH_STATE_FAILED"
        return {"name": f"batches/{name}", "metadata": facts, **(failure if is_failed else {})}

"""How providers tell of batches that speak much as OpenAI does: its facts, in their words."""

from __future__ import annotations

import re
import time
from typing import Any

_MISTRAL = {
    "validating": "QUEUED",
    "in_progress": "RUNNING",
    "finalizing": "RUNNING",
    "completed": "SUCCESS",
    "failed": "FAILED",
    "expired": "TIMEOUT_EXCEEDED",
    "cancelling": "CANCELLATION_REQUESTED",
    "cancelled": "CANCELLED",
}
_ENDS = ("completed_at", "failed_at", "expired_at", "cancelled_at")


def tell(form: str, facts: dict[str, Any]) -> dict[str, Any]:
    """A batch in a provider's words."""
    return {"together": _together, "mistral": _mistral, "azure": _azure}.get(form, dict)(facts)


def refusal(
    form: str, asked: dict[str, Any], requests: list[dict[str, Any]], checks: int
) -> str | None:
    """Why a provider makes no batch of a file."""
    if form != "azure":
        return None
    if checks > 0:
        return "The input file is not processed yet."
    if {request["url"] for request in requests} != {asked["endpoint"]}:
        return "url_mismatch"
    if asked["completion_window"] != "24h":
        return "completion_window must be 24h"
    return None if len({r["body"]["model"] for r in requests}) == 1 else "model_mismatch"


def page(form: str, values: list[dict[str, Any]], query: str, most: int) -> Any:
    """A page of a list of batches or files."""
    if form == "together" and values and values[0].get("object") != "file":
        return values
    if form == "mistral":
        return _numbered_page(values, query, most)
    limit = re.search(r"limit=(\d+)", query)
    after = re.search(r"after=([\w-]+)", query)
    size = min(int(limit[1]) if limit else 20, most)
    start = [value["id"] for value in values].index(after[1]) + 1 if after else 0
    shown = values[start : start + size]
    return {"object": "list", "data": shown, "has_more": start + size < len(values)}


def _numbered_page(values: list[dict[str, Any]], query: str, most: int) -> dict[str, Any]:
    number = re.search(r"\bpage=(\d+)", query)
    size = min(100, most)
    start = size * (int(number[1]) if number else 0)
    return {"object": "list", "data": values[start : start + size], "total": len(values)}


def _together(facts: dict[str, Any]) -> dict[str, Any]:
    """Upper-case states, times as text, and nothing that Together does not tell."""
    names = ("id", "endpoint", "input_file_id", "output_file_id", "error_file_id")
    return {
        **{name: facts[name] for name in names},
        "status": facts["status"].upper(),
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(facts["created_at"])),
        "job_deadline": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(facts["expires_at"])),
        "progress": 0.0,
    }


def _azure(facts: dict[str, Any]) -> dict[str, Any]:
    """A state that begins with a capital at first, times as text, and no counts before the end."""
    counts = facts["request_counts"]
    if not counts["completed"] + counts["failed"]:
        counts = dict.fromkeys(counts)
    state = facts["status"]
    times = {name: _iso(value) for name, value in facts.items() if name.endswith("_at")}
    first = "Validating" if state == "validating" else state
    return {**facts, **times, "status": first, "request_counts": counts, "endpoint": None}


def _iso(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.2491382+00:00", time.gmtime(seconds))


def _mistral(facts: dict[str, Any]) -> dict[str, Any]:
    """A job; `completed_requests` are all that have ended."""
    counts = facts["request_counts"]
    errors = (facts["errors"] or {}).get("data", [])
    return {
        "id": facts["id"],
        "object": "batch",
        "input_files": [facts["input_file_id"]] if facts["input_file_id"] else [],
        "endpoint": facts["endpoint"],
        "model": facts["model"],
        "metadata": facts["metadata"],
        "status": _MISTRAL.get(facts["status"], facts["status"]),
        "created_at": facts["created_at"],
        "started_at": facts.get("in_progress_at"),
        "completed_at": next((facts[name] for name in _ENDS if name in facts), None),
        "output_file": facts["output_file_id"],
        "error_file": facts["error_file_id"],
        "errors": [{"message": error["message"], "count": 1} for error in errors],
        "total_requests": counts["total"],
        "completed_requests": counts["completed"] + counts["failed"],
        "succeeded_requests": counts["completed"],
        "failed_requests": counts["failed"],
    }

"""Failures that have the same reason, and the setting that would help against it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MOST_GROUPS = 200
_MOST_CHARACTERS = 2000
"""Of a message: servers may send pages of HTML. A row that is opened shows all of its own."""
_MOST_ROWS = 1000
"""Rows that are named of each group; the table of the page finds all of them."""
_DIFFERENT = re.compile(r"\d+(?:[.,]\d+)*|'[^']*'|\"[^\"]*\"|[0-9a-f]{8,}")
"""What differs between messages of one reason: numbers, what is quoted, ids."""


class FailureGroups:
    """Failures by class, status and message, the numbers and quotes in it left out."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, Any, str], dict[str, Any]] = {}

    def add(self, row: int, failure: Mapping[str, Any], times: int = 1) -> str:
        """Count a failure, and return the name of its group. -1 times takes back one that was
        counted.
        """
        group = self._group(failure)
        group["count"] += times
        group["attempts"] += times * failure.get("attempts", 1)
        rows = group["rows"]
        if times < 0 and row in rows:
            rows.remove(row)
        elif times > 0 and len(rows) < _MOST_ROWS:
            rows.append(row)
        return str(group["id"])

    def name_of(self, failure: Mapping[str, Any]) -> str:
        """The name of the group of a failure."""
        return str(self._group(failure)["id"])

    def _group(self, failure: Mapping[str, Any]) -> dict[str, Any]:
        message = str(failure.get("error_message", ""))[:_MOST_CHARACTERS]
        name = str(failure.get("error_class") or failure.get("error_type") or "unknown")
        status = failure.get("status_code")
        key = (name, status, _DIFFERENT.sub("…", message)[:200])
        if key not in self._groups and len(self._groups) >= _MOST_GROUPS:
            key = ("other reasons", None, "")
        if key not in self._groups:
            self._groups[key] = _new_group(len(self._groups), *key, failure)
        return self._groups[key]

    def to_list(self) -> list[dict[str, Any]]:
        """As JSON-ready values, the most frequent first."""
        counted = [group for group in self._groups.values() if group["count"]]
        return sorted(counted, key=lambda group: -group["count"])


def _new_group(
    number: int, name: str, status: Any, kind: str, failure: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": f"g{number}",
        "class": name,
        "status": status,
        "type": failure.get("error_type"),
        "message": str(failure.get("error_message", kind))[:_MOST_CHARACTERS] if kind else "",
        "retryable": bool(failure.get("is_retryable")),
        "help": advice(name, status, str(failure.get("error_message", ""))),
        "count": 0,
        "attempts": 0,
        "rows": [],
    }


def advice(name: str, status: int | None, message: str) -> dict[str, Any]:
    """`text` says what helps, `settings` names the settings that it is about."""
    for pattern, settings, text in _BY_MESSAGE:
        if pattern.search(message):
            return {"text": text, "settings": settings}
    settings, text = _BY_STATUS.get(status or 0) or _BY_CLASS.get(name) or _OTHERWISE
    return {"text": text, "settings": settings}


_BY_MESSAGE = [
    (
        re.compile(r"cut off after|max_new_tokens", re.I),
        ["generation.max_new_tokens"],
        "The answer was cut off: allow more tokens.",
    ),
    (
        re.compile(r"context (?:length|window|is full)|model_max_length", re.I),
        ["model.model_max_length", "generation.truncate_prompt"],
        "The conversation does not fit the model's context: allow a longer one where the model has "
        "it, or have long prompts shortened.",
    ),
    (
        re.compile(r"budget|max_cost|max_total_tokens", re.I),
        [],
        "The run's budget was spent: raise it and run the same command again.",
    ),
]
_KEY = (
    ["remote_params.api_key", "remote_params.api_key_env_varname"],
    "The API refused the key: check the key and its rights.",
)
_PACE = (
    ["remote_params.requests_per_minute", "remote_params.num_workers", "remote_params.max_retries"],
    "The API asks for fewer requests: set its limit, use fewer workers, or allow more tries. The "
    "same command again asks for these rows only.",
)
_AWAY = (
    ["remote_params.max_retries", "remote_params.max_outage_s"],
    "The server was not able to answer: run the same command again, or allow more tries and longer "
    "outages.",
)
_TIME = (
    ["remote_params.connection_timeout", "remote_params.num_workers"],
    "No reply came in time: wait longer for each, or ask for fewer at once.",
)
_BY_STATUS = {
    400: (["generation"], "The API refused the request: its message names what it does not take."),
    401: _KEY,
    403: _KEY,
    404: (["model.model_name", "remote_params.api_url"], "No such model or address: check both."),
    408: _TIME,
    413: ([], "The request is larger than the API takes: shorten the row."),
    422: (["generation"], "The API refused the request: its message names what it does not take."),
    429: _PACE,
    500: _AWAY,
    502: _AWAY,
    503: _AWAY,
    504: _TIME,
    529: _PACE,
}
_BY_CLASS = {
    "AccessError": _KEY,
    "BadReplyError": _AWAY,
    "ConnectError": (
        ["remote_params.api_url", "remote_params.max_outage_s"],
        "No connection to the server: check its address, and whether it runs.",
    ),
    "EngineError": ([], "The engine itself failed: its message says why."),
    "InputError": (["bad_rows"], "The row cannot be read: correct it in the input."),
    "ModelNotFoundError": (["model.model_name"], "No such model: check its name."),
    "RequestError": (["generation"], "The request was refused: its message says why."),
    "StructuredOutputError": (
        ["generation.guided_decoding.max_repairs", "generation.guided_decoding.json"],
        "No answer had the structure that was asked for: allow more repairs, loosen the schema, or "
        "take a larger model.",
    ),
    "TransportError": _AWAY,
    "TransportTimeoutError": _TIME,
    "UnavailableError": _AWAY,
    "UnreadableAnswerError": ([], "The answer was paid for and cannot be read; it is shown below."),
    "UnsupportedError": (["engine"], "The engine cannot do what the row asks for: take another."),
}
_OTHERWISE: tuple[list[str], str] = (
    [],
    "Run the same command again: it asks for the rows that failed, and for no others.",
)

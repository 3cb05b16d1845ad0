"""Lines of the files that OpenAI's batch API takes: a request a line.

https://platform.openai.com/docs/api-reference/batch/request-input
https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SAME = (
    "temperature",
    "top_p",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "tool_choice",
    "parallel_tool_calls",
)
_IGNORED = frozenset({"model", "messages", "input", "tools", "user", "metadata", "store", "stream"})
"""Fields that shape no answer here, or that are read elsewhere. The model is that of the run."""


def read_batch_line(custom_id: Any, body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a line's conversation. Raises ValueError."""
    fields: dict[str, Any] = {"messages": _messages(body)}
    if custom_id is not None:
        fields["conversation_id"] = str(custom_id)
    if body.get("tools"):
        fields["tools"] = body["tools"]
    return fields


def read_batch_settings(body: dict[str, Any]) -> dict[str, Any]:
    """A line's settings, by the names that they have here. Raises ValueError for unknown ones."""
    given = {k: v for k, v in body.items() if k not in _IGNORED and v is not None}
    settings = {name: given.pop(name) for name in _SAME if name in given}
    for name, (setting, read) in _RENAMED.items():
        if name in given:
            value = read(given.pop(name))
            settings |= {} if value is None else {setting: value}
    if given.pop("logprobs", False):
        settings["logprobs"] = given.pop("top_logprobs", 0)
    if given:
        raise ValueError(f"body: no setting here is like {', '.join(sorted(given))}")
    return settings


def _messages(body: dict[str, Any]) -> Any:
    asked = body.get("messages", body.get("input"))
    if isinstance(asked, str):
        return [{"role": "user", "content": asked}]
    if not isinstance(asked, list):
        raise ValueError("body: no `messages` in it")
    return asked


def _guided(form: Any) -> dict[str, Any] | None:
    match form:
        case {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {"json": {"type": "object"}}
        case {"type": "json_schema", "json_schema": {"schema": schema, **more}}:
            return {"json": schema, "strict": bool(more.get("strict", True))}
    raise ValueError("body.response_format: expected text, json_object or a json_schema")


def _one(number: Any) -> None:
    if number != 1:
        raise ValueError(
            f"body.n: {number} answers of one row; set generation.num_samples for all rows of a run"
        )


_RENAMED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "max_tokens": ("max_new_tokens", int),
    "max_completion_tokens": ("max_new_tokens", int),
    "max_output_tokens": ("max_new_tokens", int),
    "stop": ("stop_strings", lambda stop: [stop] if isinstance(stop, str) else stop),
    "response_format": ("guided_decoding", _guided),
    "n": ("", _one),
}

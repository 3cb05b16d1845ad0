"""Lines of the files that OpenAI's batch API takes: a request a line.

https://platform.openai.com/docs/api-reference/batch/request-input
https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import Any

from oumi.data.shapes.openai_fields import SETTING_FIELDS, read_settings

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
    if (number := given.pop("n", 1)) != 1:
        raise ValueError(
            f"body.n: {number} answers of one row; set generation.num_samples for all rows of a run"
        )
    if unknown := given.keys() - SETTING_FIELDS:
        raise ValueError(f"body: no setting here is like {', '.join(sorted(unknown))}")
    try:
        return read_settings(given)[0]
    except ValueError as error:
        raise ValueError(f"body.{error}") from None


def _messages(body: dict[str, Any]) -> Any:
    asked = body.get("messages", body.get("input"))
    if isinstance(asked, str):
        return [{"role": "user", "content": asked}]
    if not isinstance(asked, list):
        raise ValueError("body: no `messages` in it")
    return asked

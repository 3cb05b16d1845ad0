"""Shapes of rows that are known by their columns.

ShareGPT: https://huggingface.co/docs/trl/dataset_formats
Alpaca: https://github.com/tatsu-lab/stanford_alpaca#data-release
OpenAI's batch files: https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oumi.core.json_text import parse_json
from oumi.data.records.values import is_empty, to_plain, without_nulls
from oumi.data.shapes.openai_batch import read_batch_line, read_batch_settings

Columns = Mapping[str, Any]


@dataclass(frozen=True)
class KnownShape:
    """How rows of one shape become the fields of conversations."""

    description: str
    """What is said of rows in it."""
    recognises: Callable[[Columns], bool]
    """Whether a row has it."""
    to_fields: Callable[[Columns], dict[str, Any]]
    """The fields of a row's conversation. Raises ValueError."""
    to_settings: Callable[[Columns], dict[str, Any]] | None = None
    """The settings that a row brings along. Raises ValueError."""


def find_shape(row: Columns) -> KnownShape | None:
    """The first shape that a row has."""
    return next((shape for shape in _SHAPES if shape.recognises(row)), None)


def text_shape(column: str) -> KnownShape:
    """Rows that ask what stands in a column."""

    def to_fields(row: Columns) -> dict[str, Any]:
        value = row.get(column)
        if is_empty(value):
            raise ValueError(f"{column}: nothing in it")
        return {"messages": [{"role": "user", "content": str(value)}]}

    return KnownShape(f"a text a row (`{column}`)", lambda row: column in row, to_fields)


def json_value(value: Any) -> Any:
    """A value that tables of texts hold as JSON text; others as they are. Raises ValueError."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        return parse_json(value)
    return value.tolist() if hasattr(value, "tolist") else value  # an array of numpy


def _is_list(value: Any) -> bool:
    is_text = isinstance(value, str) and value.lstrip().startswith("[")
    return is_text or isinstance(value, list) or hasattr(value, "tolist")


def _has_messages(row: Columns) -> bool:
    return _is_list(row.get("messages"))


def _messages(row: Columns) -> dict[str, Any]:
    """All columns, as JSONL files of conversations keep unknown fields too."""
    fields = {name: value for name, value in row.items() if not is_empty(value)}
    for name, value in fields.items():
        fields[name] = json_value(value) if name in _STRUCTURED else to_plain(value)
    if "messages" not in fields:
        raise ValueError("messages: nothing in it")
    if isinstance(fields["messages"], list):
        fields["messages"] = list(map(_message, fields["messages"]))
    return fields


_STRUCTURED = ("messages", "tools", "metadata")


def _message(message: Any) -> Any:
    """A message without the fields that only others in its table have."""
    fields = without_nulls(message)
    if isinstance(fields, dict) and isinstance(fields.get("content"), list):
        fields["content"] = list(map(without_nulls, fields["content"]))
    return fields


def _has_turns(row: Columns) -> bool:
    return _is_list(row.get("conversations"))


def _turns(row: Columns) -> dict[str, Any]:
    turns = to_plain(json_value(row.get("conversations")))
    if not isinstance(turns, list) or not turns:
        raise ValueError("conversations: expected a list of turns")
    messages = [_turn(turn, at) for at, turn in enumerate(turns)]
    while len(messages) > 1 and messages[-1]["role"] == "assistant":
        messages.pop()  # the answer that is asked for
    return {"messages": messages}


def _turn(turn: Any, at: int) -> dict[str, Any]:
    if isinstance(turn, dict) and "role" in turn:
        return turn
    if not isinstance(turn, dict) or "from" not in turn or "value" not in turn:
        raise ValueError(f"conversations.{at}: expected `from` and `value`")
    role = _ROLES.get(str(turn["from"]).lower())
    if role is None:
        known = ", ".join(_ROLES)
        raise ValueError(f"conversations.{at}: unknown role {turn['from']!r}; known are {known}")
    return {"role": role, "content": turn["value"]}


_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
}


def _has_instruction(row: Columns) -> bool:
    return isinstance(row.get("instruction"), str)


def _instruction(row: Columns) -> dict[str, Any]:
    parts = [row.get("instruction"), row.get("input")]
    texts = [str(part) for part in parts if not is_empty(part)]
    if is_empty(row.get("instruction")):
        raise ValueError("instruction: nothing in it")
    return {"messages": [{"role": "user", "content": "\n\n".join(texts)}]}


def _has_prompt(row: Columns) -> bool:
    return isinstance(row.get("prompt"), str) or _is_list(row.get("prompt"))


def _prompt(row: Columns) -> dict[str, Any]:
    prompt = row.get("prompt")
    if is_empty(prompt):
        raise ValueError("prompt: nothing in it")
    messages = _as_messages(prompt)
    return {"messages": messages or [{"role": "user", "content": prompt}]}


def _as_messages(prompt: Any) -> list[Any] | None:
    """The messages that a prompt consists of; None for a text, which may look like JSON."""
    try:
        found = to_plain(json_value(prompt))
    except ValueError:
        return None
    is_chat = isinstance(found, list) and all(isinstance(m, dict) and "role" in m for m in found)
    return list(map(_message, found)) if is_chat else None


def _is_batch_line(row: Columns) -> bool:
    return "custom_id" in row and not is_empty(row.get("body"))


def _batch_line(row: Columns) -> dict[str, Any]:
    return read_batch_line(row.get("custom_id"), _body(row))


def _batch_settings(row: Columns) -> dict[str, Any]:
    return read_batch_settings(_body(row))


def _body(row: Columns) -> dict[str, Any]:
    body = to_plain(json_value(row.get("body")))
    if not isinstance(body, dict):
        raise ValueError("body: expected an object")
    return body


_SHAPES = (
    KnownShape("conversations (`messages`)", _has_messages, _messages),
    KnownShape(
        "lines of an OpenAI batch file (`body`)", _is_batch_line, _batch_line, _batch_settings
    ),
    KnownShape("ShareGPT's format (`conversations`)", _has_turns, _turns),
    KnownShape("Alpaca's format (`instruction`, `input`)", _has_instruction, _instruction),
    KnownShape("a prompt a row (`prompt`)", _has_prompt, _prompt),
)

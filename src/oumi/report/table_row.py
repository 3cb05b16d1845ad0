"""Rows of tables, as CSV and Parquet files have them, to conversations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from oumi.core.json_text import parse_json, write_json
from oumi.data.records.values import is_empty, to_plain
from oumi.data.tables.answer_columns import PREFIX

_IDS = ("conversation_id", "custom_id", "id")
_FACTS = ("answer", "finish_reason", "prompt_tokens", "completion_tokens", "cost_usd", "error")


class TableRow(NamedTuple):
    """A row as a conversation, what its table says of its answer, and why there is none."""

    conversation: dict[str, Any]
    cost_usd: float | None
    error: str | None


class TableForm:
    """Which columns are the input, and which ones a run has put beside them. `properties` are the
    names in the schema of the answers, where there was one.
    """

    def __init__(self, columns: Iterable[str], properties: Iterable[str] = ()):
        names = list(columns)
        self._facts = {name: _own(name, names) for name in _FACTS}
        self._properties = {name: _own(name, names) for name in properties if name in names}
        added = {*self._facts.values(), *self._properties.values()}
        self._inputs = [name for name in names if name not in added]

    def row(self, columns: Mapping[str, Any]) -> TableRow:
        """The row. One that holds whole conversations is taken as it is."""
        values = {name: to_plain(value) for name, value in columns.items()}
        messages = _messages_of(values)
        if messages is not None:
            return TableRow({**values, "messages": messages}, None, None)
        inputs = {name: values.get(name) for name in self._inputs}
        facts = {name: values.get(column) for name, column in self._facts.items()}
        answer = self._answer(values, facts["answer"])
        conversation: dict[str, Any] = {
            "messages": [{"role": "user", "content": _question(inputs)}],
            "metadata": {**inputs, **_usage(facts)},
        }
        if (name := next((inputs[one] for one in _IDS if one in inputs), None)) is not None:
            conversation["conversation_id"] = str(name)
        if answer is not None:
            conversation["messages"].append({"role": "assistant", "content": answer})
        error = None if is_empty(facts["error"]) else str(facts["error"])
        return TableRow(conversation, _number(facts["cost_usd"]), error)

    def _answer(self, values: Mapping[str, Any], answer: Any) -> str | None:
        if not is_empty(answer):
            return answer if isinstance(answer, str) else write_json(answer).decode()
        found = {name: values.get(column) for name, column in self._properties.items()}
        if all(value is None for value in found.values()):
            return None
        return write_json(found).decode()


def _own(name: str, columns: list[str]) -> str:
    """The column that a run has given this name: with prefixes where the input has it as well."""
    found = name
    while PREFIX + found in columns:
        found = PREFIX + found
    return found


def _messages_of(values: Mapping[str, Any]) -> list[Any] | None:
    """The messages of a row that holds a conversation, also as JSON text."""
    found = values.get("messages")
    if isinstance(found, str):
        try:
            found = parse_json(found)
        except ValueError:
            return None
    return found if isinstance(found, list) else None


def _question(inputs: Mapping[str, Any]) -> str:
    """What a row holds: its only text, or all of it as JSON."""
    texts = [value for name, value in inputs.items() if name not in _IDS]
    if len(texts) == 1 and isinstance(texts[0], str):
        return texts[0]
    return write_json(dict(inputs), indent=True).decode()


def _usage(facts: Mapping[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if not is_empty(facts["finish_reason"]):
        metadata["finish_reason"] = facts["finish_reason"]
    names = ("prompt_tokens", "completion_tokens")
    counts = {name: _number(facts[name]) for name in names}
    if all(count is not None for count in counts.values()):
        metadata["usage"] = {name: int(count or 0) for name, count in counts.items()}
    return metadata


def _number(value: Any) -> float | None:
    """A number, also as the text that CSV has for it."""
    try:
        return None if is_empty(value) else float(value)
    except (TypeError, ValueError):
        return None

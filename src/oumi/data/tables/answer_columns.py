"""The columns that a row's outcome adds to those of the input."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import Usage
from oumi.data.source import SAMPLE
from oumi.data.tables.schema_types import property_types, schema_type
from oumi.data.tables.value_types import INTEGER, NUMBER, TEXT, ValueType

PREFIX = "output_"
"""In front of a name that the input has already."""

CostOf = Callable[[Usage], float | None]
"""The price of tokens in dollars; None where it is not known."""

_FACTS = {
    "finish_reason": TEXT,
    "prompt_tokens": INTEGER,
    "completion_tokens": INTEGER,
    "cost_usd": NUMBER,
    "error": TEXT,
}


class OutcomeColumns(Protocol):
    """What a table needs of the columns that outcomes of rows are written to."""

    types: dict[str, ValueType]
    """The columns in order, each with the type of its values."""

    def of_answer(
        self,
        answer: Mapping[str, Any],
        parsed: Mapping[str, Any] = MappingProxyType({}),
        sample: int | None = None,
    ) -> dict[str, Any]:
        """The values for an answer, as its record has it, and what was made of it. Raises
        ValueError.
        """
        ...

    def of_failure(self, failure: Mapping[str, Any], sample: int | None = None) -> dict[str, Any]:
        """The values for a row that failed, in the form of `Failure.to_dict`."""
        ...

    def answer(self, answer: Mapping[str, Any]) -> Any:
        """The value of an answer, without the facts about it."""
        ...


class AnswerColumns:
    """`answer`, or a column for each property of the schema, and the facts of the answer.

    `taken` are the names of the input's columns, `parsed` the columns that a function of the caller
    makes of answers. `has_sample` puts the number of the sample first.
    """

    def __init__(
        self,
        taken: Collection[str],
        schema: Mapping[str, Any] | None = None,
        cost_of: CostOf | None = None,
        parsed: Mapping[str, ValueType] = MappingProxyType({}),
        *,
        has_sample: bool = False,
    ):
        self._cost_of = cost_of or (lambda usage: None)
        self._properties = None if schema is None else property_types(schema)
        self._is_json = schema is not None
        answer = TEXT if schema is None else schema_type(schema, schema)
        types = {"answer": answer} if self._properties is None else dict(self._properties)
        self._parsed = _add(types, parsed)
        self._facts = _add(types, _FACTS)
        if has_sample:
            self._facts |= _add(types, {SAMPLE: INTEGER})
            types = {self._facts[SAMPLE]: INTEGER, **types}
        self._names = {name: free_name(name, taken) for name in types}
        self.types: dict[str, ValueType] = {self._names[name]: types[name] for name in types}
        """The columns in order, each with the type of its values."""

    def of_answer(
        self,
        answer: Mapping[str, Any],
        parsed: Mapping[str, Any] = MappingProxyType({}),
        sample: int | None = None,
    ) -> dict[str, Any]:
        """The values for an answer, in the form of `Completion.to_dict`, and what was made of it.
        Raises ValueError.
        """
        share = 0.0 if answer.get("from_cache") else answer.get("price_share", 1.0)
        usage = self._usage(answer["usage"], share)
        facts = {"finish_reason": answer["finish_reason"], **usage, **_sample_fact(sample)}
        value = self.answer(answer)
        values = {"answer": value} if self._properties is None else dict(value or {})
        return self._named(values, parsed, facts)

    def of_failure(self, failure: Mapping[str, Any], sample: int | None = None) -> dict[str, Any]:
        """The values for a row that failed, in the form of `Failure.to_dict`."""
        usage = failure.get("usage")
        facts = {"error": failure["error_message"], **(self._usage(usage) if usage else {})}
        facts |= _sample_fact(sample)
        return self._named({}, {}, facts)

    def answer(self, answer: Mapping[str, Any]) -> Any:
        """The text of an answer; with a schema, its value."""
        text = _text_of(answer["message"])
        return parse_json(text) if self._is_json and text is not None else text

    def _usage(self, usage: Mapping[str, int], share: float = 1.0) -> dict[str, Any]:
        """The counts, and the cost at a share of the price."""
        names = ("prompt_tokens", "completion_tokens")
        return {name: usage[name] for name in names} | {"cost_usd": self._cost(usage, share)}

    def _cost(self, usage: Mapping[str, int], share: float) -> float | None:
        cost = self._cost_of(Usage.from_dict(usage))
        return None if cost is None else round(cost * share, 9)  # a token costs thousands of those

    def _named(
        self, values: Mapping[str, Any], parsed: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> dict[str, Any]:
        found = dict(values)
        found |= {self._parsed[name]: value for name, value in parsed.items()}
        found |= {self._facts[name]: value for name, value in facts.items()}
        return {column: found.get(name) for name, column in self._names.items()}


def _sample_fact(sample: int | None) -> dict[str, Any]:
    return {} if sample is None else {SAMPLE: sample}


def _add(types: dict[str, ValueType], more: Mapping[str, ValueType]) -> dict[str, str]:
    """Add columns to others, and return the names that they have there."""
    names = {}
    for name, kind in more.items():
        names[name] = free_name(name, types)
        types[names[name]] = kind
    return names


def _text_of(message: Mapping[str, Any]) -> str | None:
    """The text of an answer; of one that calls tools, the calls as JSON text."""
    content = message.get("content")
    if isinstance(content, list):
        return "".join(item.get("content") or "" for item in content)
    if not content and message.get("tool_calls"):
        return write_json(message["tool_calls"]).decode()
    return content


def free_name(name: str, taken: Collection[str]) -> str:
    """A name that the input does not have."""
    while name in taken:
        name = PREFIX + name
    return name

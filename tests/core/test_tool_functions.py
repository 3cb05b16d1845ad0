"""Python functions as tools of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from oumi.core.types import Conversation, ToolDefinition


class Place(BaseModel):
    title: str
    height: float = 0.0


def weather(
    city: str,
    schema: list[str] | None = None,
    unit: Literal["C", "F"] = "C",
    *,
    place: Place,
    days: Annotated[int, Field(ge=1)] = 3,
) -> str:
    """Get the weather.

    Of any city.

    Args:
        city (str): The city,
            written in full.
        schema: Which parts: all without it.

    Returns:
        A few words.
    """
    return f"{city}{schema}{unit}{place}{days}"


def add(a: int, b: int) -> int:
    """Add two numbers.

    :param a: The first one.
    :param int b: The second one.
    :returns: The sum.
    """
    return a + b


class Search:
    def find(self, words: str) -> list[str]:
        """Search the web."""
        return [words]


def define(*tools: Any) -> list[ToolDefinition]:
    conversation = Conversation(messages=[], tools=tools)
    assert Conversation.from_json(conversation.to_json()) == conversation
    return conversation.tools or []


def test_a_function_is_described_by_its_signature_and_docstring():
    [tool] = define(weather)
    assert tool.function.name == "weather"
    assert tool.function.description == "Get the weather.\n\nOf any city."
    assert tool.function.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "The city, written in full."},
            "schema": {
                "anyOf": [{"items": {"type": "string"}, "type": "array"}, {"type": "null"}],
                "default": None,
                "description": "Which parts: all without it.",
            },
            "unit": {"enum": ["C", "F"], "type": "string", "default": "C"},
            "place": {"$ref": "#/$defs/Place"},
            "days": {"type": "integer", "minimum": 1, "default": 3},
        },
        "required": ["city", "place"],
        "$defs": {
            "Place": {
                "title": "Place",
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "height": {"type": "number", "default": 0.0},
                },
                "required": ["title"],
            }
        },
    }


def test_docstrings_of_sphinx_methods_and_dicts_beside_functions():
    given = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
    one, two, three = define(add, Search().find, given)
    assert one.function.description == "Add two numbers."
    assert (one.function.parameters or {})["properties"] == {
        "a": {"type": "integer", "description": "The first one."},
        "b": {"type": "integer", "description": "The second one."},
    }
    assert (two.function.name, two.function.description) == ("find", "Search the web.")
    assert list((two.function.parameters or {})["properties"]) == ["words"]
    assert three.function.parameters == given["input_schema"]


def undescribed(a: int) -> None: ...


def untyped(a) -> None:
    """Do it."""


def endless(*words: str) -> None:
    """Do it."""


def unknown(a: Nowhere) -> None:  # noqa: F821
    """Do it."""


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (undescribed, "undescribed has no docstring"),
        (untyped, "untyped: its parameter a has no type"),
        (endless, "endless: .*words.* is no argument with a name"),
        (unknown, "unknown cannot be described as a tool"),
        (5, "a dict or a Python callable, not int"),
    ],
)
def test_what_cannot_be_described_is_refused(function: Callable[..., Any], reason: str):
    with pytest.raises(ValidationError, match=reason):
        define(function)


class Manual:
    """Holds an index."""

    def __call__(self, query: str) -> str:
        """Search the manual.

        Args:
            query: Words.
        """
        return query


def test_an_object_that_can_be_called_and_a_function_with_arguments_filled_in():
    def add(a: int, b: int) -> int:
        """Add numbers."""
        return a + b

    search, filled = Conversation(messages=[], tools=[Manual(), partial(add, 1)]).tools
    assert (search.function.name, search.function.description) == ("Manual", "Search the manual.")
    assert search.function.parameters["properties"]["query"]["description"] == "Words."
    assert (filled.function.name, filled.function.description) == ("add", "Add numbers.")
    assert filled.function.parameters["required"] == ["b"]

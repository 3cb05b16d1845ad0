"""A schema that no model meets by itself, what it asks for in words, and a tool."""

from __future__ import annotations

import json

from oumi.core.types import Conversation, ToolDefinition

PRODUCT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 6},
        "price": {"type": "integer", "minimum": 10, "maximum": 99},
    },
    "required": ["name", "price"],
    "additionalProperties": False,
}

WEATHER = ToolDefinition.model_validate(
    {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
)


def assert_product(conversation: Conversation) -> None:
    """The answer is a product."""
    value = json.loads(conversation.messages[-1].content)
    assert value.keys() == {"name", "price"}
    assert 2 <= len(value["name"]) <= 6
    assert 10 <= value["price"] <= 99

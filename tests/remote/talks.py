"""Conversations that ask a dialect for all it can do."""

from __future__ import annotations

from typing import Any

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.core.types import (
    ContentItem,
    Conversation,
    FunctionCall,
    Message,
    Role,
    ToolCall,
    ToolDefinition,
    Type,
)

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8
TOOL = ToolDefinition.model_validate(
    {"name": "add", "description": "Add.", "parameters": {"type": "object", "properties": {}}}
)
WEATHER = ToolDefinition.model_validate({"name": "get_weather"})
SCHEMA = {
    "type": "object",
    "properties": {"sum_of_both": {"type": "integer"}},
    "required": ["sum_of_both"],
    "additionalProperties": False,
}
SETTINGS: dict[str, tuple[Any, str]] = {
    "max_new_tokens": (77, "77"),
    "temperature": (0.25, "0.25"),
    "top_p": (0.35, "0.35"),
    "top_k": (7, ":7"),
    "min_p": (0.15, "0.15"),
    "seed": (4321, "4321"),
    "stop_strings": (["the-end"], '["the-end"]'),
    "frequency_penalty": (0.45, "0.45"),
    "presence_penalty": (0.55, "0.55"),
    "logit_bias": ({"50256": -3}, '"50256":-3'),
    "logprobs": (2, ":2"),
    "stop_token_ids": ([31337], "31337"),
    "skip_special_tokens": (False, '"skip_special_tokens":false'),
    "tool_choice": ("required", '"required"'),
    "parallel_tool_calls": (False, "false"),
}
"""A value of each setting, and how it looks in a body."""

OTHER_WORDS = {
    ("ANTHROPIC", "tool_choice"): '"tool_choice":{"type":"any"}',
    ("ANTHROPIC", "parallel_tool_calls"): '"disable_parallel_tool_use":true',
    ("BEDROCK", "tool_choice"): '"toolChoice":{"any":{}}',
}
"""How it looks where there is another word for it."""


def settings(model: str, kwargs: dict | None = None, **generation: object) -> InferenceConfig:
    return InferenceConfig(
        model=ModelParams(model_name=model, model_kwargs=kwargs or {}),
        generation=GenerationParams(**generation),
    )


def call(number: int = 1) -> ToolCall:
    function = FunctionCall(name="add", arguments={"a": number})
    return ToolCall(id=f"call_{number}", function=function)


def tool_talk() -> Conversation:
    """Two calls in one turn, and what came of them."""
    return Conversation(
        messages=[
            Message(role=Role.SYSTEM, content="Be brief."),
            Message(role=Role.USER, content="1+1? 2+2?"),
            Message(role=Role.ASSISTANT, content="Let me see.", tool_calls=[call(1), call(2)]),
            Message(role=Role.TOOL, content="2", tool_call_id="call_1"),
            Message(role=Role.TOOL, content=[picture_item()], tool_call_id="call_2"),
            Message(role=Role.USER, content="And?"),
        ],
        tools=[TOOL, WEATHER],
    )


def picture_item() -> ContentItem:
    return ContentItem(type=Type.IMAGE_BINARY, binary=PNG)


def picture_talk() -> Conversation:
    """Two images."""
    items = [
        ContentItem(type=Type.TEXT, content="What is it?"),
        picture_item(),
        picture_item(),
    ]
    return Conversation(messages=[Message(role=Role.USER, content=items)])

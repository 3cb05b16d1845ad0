"""Conversations that ask a dialect for all it can do."""

from __future__ import annotations

from pathlib import Path

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


def picture_talk(folder: Path) -> Conversation:
    """An image by path and one by bytes."""
    path = folder / "a.png"
    path.write_bytes(PNG)
    items = [
        ContentItem(type=Type.TEXT, content="What is it?"),
        ContentItem(type=Type.IMAGE_PATH, content=str(path)),
        picture_item(),
    ]
    return Conversation(messages=[Message(role=Role.USER, content=items)])

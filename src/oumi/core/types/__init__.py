"""Conversations, tool calls and what engines give back."""

from oumi.core.types.completion import Completion, Delta, Failure, InferenceResult, Usage
from oumi.core.types.conversation import (
    ContentItem,
    ContentItemCounts,
    Conversation,
    FinishReason,
    Message,
    Role,
    Type,
)
from oumi.core.types.tool_call import (
    FunctionCall,
    FunctionDefinition,
    ToolCall,
    ToolDefinition,
    ToolType,
)

__all__ = [
    "Completion",
    "ContentItem",
    "ContentItemCounts",
    "Conversation",
    "Delta",
    "Failure",
    "FinishReason",
    "FunctionCall",
    "FunctionDefinition",
    "InferenceResult",
    "Message",
    "Role",
    "ToolCall",
    "ToolDefinition",
    "ToolType",
    "Type",
    "Usage",
]

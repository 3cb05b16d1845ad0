"""Conversations, tool calls, completions, results and estimates of runs, states of batch jobs."""

from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.completion import Completion, Delta, ToolCallDelta, Usage
from oumi.core.types.conversation import (
    ContentItem,
    ContentItemCounts,
    Conversation,
    FinishReason,
    Message,
    Role,
    Type,
)
from oumi.core.types.embedding_result import EmbeddingResult
from oumi.core.types.estimate import Range, RunEstimate
from oumi.core.types.failure import Failure, InferenceErrorType
from oumi.core.types.result import InferenceResult
from oumi.core.types.tool_call import (
    FunctionCall,
    FunctionDefinition,
    ToolCall,
    ToolDefinition,
    ToolType,
)

__all__ = [
    "BatchInfo",
    "BatchStatus",
    "Completion",
    "ContentItem",
    "ContentItemCounts",
    "Conversation",
    "Delta",
    "EmbeddingResult",
    "Failure",
    "FinishReason",
    "FunctionCall",
    "FunctionDefinition",
    "InferenceErrorType",
    "InferenceResult",
    "Message",
    "Range",
    "Role",
    "RunEstimate",
    "ToolCall",
    "ToolCallDelta",
    "ToolDefinition",
    "ToolType",
    "Type",
    "Usage",
]

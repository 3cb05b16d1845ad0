"""Replies of Bedrock's Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from oumi.backends.openai_reply import as_mapping, read_count, read_id
from oumi.backends.recordable import check_recordable
from oumi.backends.remote.dialects.bedrock_encode import answers_by_tool
from oumi.backends.remote.dialects.bedrock_stream import ConverseAssembler, ConverseEvents
from oumi.backends.remote.dialects.message_blocks import ANSWER_TOOL, to_json
from oumi.backends.remote.dialects.reply import (
    decode_object,
    no_answer,
    shorten,
)
from oumi.backends.remote.dialects.stream import ReplyStream
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message, Role
from oumi.core.types.tool_call import FunctionCall, ToolCall

_FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "guardrail_intervened": FinishReason.CONTENT_FILTER,
    "content_filtered": FinishReason.CONTENT_FILTER,
    "malformed_model_output": FinishReason.ERROR,
    "malformed_tool_use": FinishReason.ERROR,
}
_PLAIN_BLOCKS = {"text", "toolUse"}


def decode(body: bytes, config: InferenceConfig) -> Completion:
    """The completion in a reply.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    data = decode_object(body)
    message = as_mapping(as_mapping(data.get("output")).get("message"))
    if not (message.get("content") or ("content" in message and data.get("stopReason"))):
        raise no_answer(body)
    try:
        return _decode_message(message["content"], data, config)
    except Exception as error:
        raise UnreadableAnswerError(f"an answer in a strange form: {error}", body) from error


def decode_models(body: bytes, *, chat_only: bool = False) -> list[str]:
    """The names in a list of models; with `chat_only` those of models that answer in text.

    Raises BadReplyError for a body that is no list.
    """
    try:
        models = {str(model["modelId"]): model for model in decode_object(body)["modelSummaries"]}
    except (LookupError, TypeError) as error:
        raise BadReplyError(f"not a list of models: {shorten(body)}") from error
    return [name for name, model in models.items() if not chat_only or _answers_in_text(model)]


def _answers_in_text(model: Mapping[str, Any]) -> bool:
    modalities = model.get("outputModalities")
    return not isinstance(modalities, list) or "TEXT" in modalities


def stream_decoder(config: InferenceConfig) -> ReplyStream:
    """A decoder for one streamed reply. Raises MissingDependencyError without botocore."""
    by_tool = answers_by_tool(config)
    assembler = ConverseAssembler(partial(_decode_message, config=config), by_tool=by_tool)
    return ReplyStream(ConverseEvents(), assembler, partial(decode, config=config))


def _decode_message(content: Any, data: Mapping[str, Any], config: InferenceConfig) -> Completion:
    blocks = _read_blocks(content)
    reason = data.get("stopReason")
    finish_reason = FinishReason.UNKNOWN
    if isinstance(reason, str):
        finish_reason = _FINISH_REASONS.get(reason, finish_reason)
    if answers_by_tool(config) and (answer := _find_answer(blocks)):
        blocks = [block for block in blocks if "text" not in block]
        blocks = [answer if "toolUse" in block else block for block in blocks]
        if finish_reason is FinishReason.TOOL_CALLS:
            finish_reason = FinishReason.STOP
    completion = Completion(_message(blocks), finish_reason, _decode_usage(data.get("usage")))
    check_recordable(completion.message)
    return completion


def _read_blocks(content: Any) -> list[dict[str, Any]]:
    blocks = content if isinstance(content, list) else [content] if content else []
    read = [{"text": block} if isinstance(block, str) else block for block in blocks]
    for block in read:
        if not isinstance(block, dict):
            raise TypeError(f"a block that is no object: {block!r:.100}")
    return read


def _find_answer(blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The text block that a call of the tool for answers means."""
    calls = (block["toolUse"] for block in blocks if "toolUse" in block)
    call = next((call for call in calls if call.get("name") == ANSWER_TOOL), None)
    return None if call is None else {"text": to_json(call.get("input"))}


def _message(blocks: list[dict[str, Any]]) -> Message:
    calls = [_decode_call(block["toolUse"]) for block in blocks if "toolUse" in block]
    text = "".join(block.get("text") or "" for block in blocks)
    thoughts = "".join(_thought(block) for block in blocks)
    return Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=thoughts or None,
        content_blocks=None if all(block.keys() <= _PLAIN_BLOCKS for block in blocks) else blocks,
    )


def _thought(block: Mapping[str, Any]) -> str:
    reasoning = as_mapping(as_mapping(block.get("reasoningContent")).get("reasoningText"))
    return reasoning.get("text") or ""


def _decode_call(call: Mapping[str, Any]) -> ToolCall:
    name, arguments = call["name"], to_json(call.get("input"))
    if not name:
        raise ValueError("a tool call without a name")
    return ToolCall(
        id=read_id(call.get("toolUseId"), name, arguments),
        function=FunctionCall(name=name, arguments=arguments),
    )


def _decode_usage(value: object) -> Usage:
    """Token counts. The API counts what it reads from its cache and writes to it apart."""
    usage = as_mapping(value)
    read = read_count(usage.get("cacheReadInputTokens"))
    written = read_count(usage.get("cacheWriteInputTokens"))
    prompt = read_count(usage.get("inputTokens")) + read + written
    answer = read_count(usage.get("outputTokens"))
    return Usage(prompt, answer, read, cache_creation_tokens=written)

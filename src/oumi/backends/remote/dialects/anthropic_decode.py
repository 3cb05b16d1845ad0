"""Replies of Anthropic's messages API.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from oumi.backends.openai_reply import as_mapping, read_count, read_id
from oumi.backends.recordable import check_recordable
from oumi.backends.remote.dialects.anthropic_encode import answers_by_tool
from oumi.backends.remote.dialects.anthropic_stream import MessageAssembler
from oumi.backends.remote.dialects.json_events import JsonEvents
from oumi.backends.remote.dialects.message_blocks import ANSWER_TOOL, to_json
from oumi.backends.remote.dialects.reply import decode_object, no_answer
from oumi.backends.remote.dialects.stream import ReplyStream, decode_stream, is_stream
from oumi.backends.remote.errors import UnreadableAnswerError
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message, Role
from oumi.core.types.tool_call import FunctionCall, ToolCall

# https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
_FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "pause_turn": FinishReason.LENGTH,  # of the API's own loop; sent back, the turn goes on
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
_PLAIN_BLOCKS = {"text", "tool_use"}


def decode(body: bytes, config: InferenceConfig) -> Completion:
    """The completion in a reply.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    if is_stream(body):
        return decode_stream(stream_decoder(config), body)
    data = decode_object(body)
    if not (data.get("content") or ("content" in data and data.get("stop_reason"))):
        raise no_answer(body)
    try:
        return _decode_message(data, config)
    except Exception as error:
        raise UnreadableAnswerError(f"an answer in a strange form: {error}", body) from error


def stream_decoder(config: InferenceConfig) -> ReplyStream:
    """A decoder for one streamed reply."""
    by_tool = answers_by_tool(config)
    assembler = MessageAssembler(partial(_decode_message, config=config), by_tool=by_tool)
    return ReplyStream(JsonEvents(), assembler, partial(decode, config=config))


def _decode_message(data: Mapping[str, Any], config: InferenceConfig) -> Completion:
    blocks = _read_blocks(data["content"])
    reason = data.get("stop_reason")
    finish_reason = FinishReason.UNKNOWN
    if isinstance(reason, str):
        finish_reason = _FINISH_REASONS.get(reason, finish_reason)
    if answers_by_tool(config) and (answer := _find_answer(blocks)):
        blocks = [block for block in blocks if block["type"] != "text"]
        blocks = [answer if block["type"] == "tool_use" else block for block in blocks]
        if finish_reason is FinishReason.TOOL_CALLS:
            finish_reason = FinishReason.STOP
    text = _text(blocks)
    if finish_reason is FinishReason.CONTENT_FILTER and not text:
        text = as_mapping(data.get("stop_details")).get("explanation") or ""
    completion = Completion(_message(blocks, text), finish_reason, _decode_usage(data.get("usage")))
    check_recordable(completion.message)
    return completion


def _read_blocks(content: Any) -> list[dict[str, Any]]:
    """The blocks of an answer, which servers like Anthropic's may give as bare text."""
    blocks = content if isinstance(content, list) else [content] if content else []
    return [_read_block(block) for block in blocks]


def _read_block(block: Any) -> dict[str, Any]:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, dict):
        raise TypeError(f"a block that is no object: {block!r:.100}")
    if isinstance(block.get("type"), str):
        return block
    if isinstance(block.get("text"), str):
        return {"type": "text", **block}
    raise ValueError(f"a block of no type: {block!r:.100}")


def _find_answer(blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The text block that a call of the tool for answers means."""
    calls = (b for b in blocks if b["type"] == "tool_use" and b.get("name") == ANSWER_TOOL)
    call = next(calls, None)
    return None if call is None else {"type": "text", "text": to_json(call.get("input"))}


def _message(blocks: list[dict[str, Any]], text: str) -> Message:
    calls = [_decode_call(block) for block in blocks if block["type"] == "tool_use"]
    is_plain = all(block["type"] in _PLAIN_BLOCKS for block in blocks)
    thoughts = [block.get("thinking") or "" for block in blocks if block["type"] == "thinking"]
    return Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content="".join(thoughts) or None,
        content_blocks=None if is_plain else blocks,
    )


def _text(blocks: list[dict[str, Any]]) -> str:
    """The text of all blocks that have any, of whatever type they are."""
    return "".join(block.get("text") or "" for block in blocks)


def _decode_call(block: Mapping[str, Any]) -> ToolCall:
    name, arguments = block["name"], to_json(block.get("input"))
    if not name:
        raise ValueError("a tool call without a name")
    return ToolCall(
        id=read_id(block.get("id"), name, arguments),
        function=FunctionCall(name=name, arguments=arguments),
    )


def _decode_usage(value: object) -> Usage:
    """Token counts. The API counts what it reads from its cache and writes to it apart."""
    usage = as_mapping(value)
    read = read_count(usage.get("cache_read_input_tokens"))
    written = read_count(usage.get("cache_creation_input_tokens"))
    prompt = read_count(usage.get("input_tokens")) + read + written
    thinking = as_mapping(usage.get("output_tokens_details")).get("thinking_tokens")
    answer = read_count(usage.get("output_tokens"))
    return Usage(prompt, answer, read, read_count(thinking), written)

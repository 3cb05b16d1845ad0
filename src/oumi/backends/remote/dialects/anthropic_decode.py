"""Replies of Anthropic's messages API, whole and streamed.

https://platform.claude.com/docs/en/api/messages/create
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.remote.dialects.anthropic_encode import answers_by_tool
from oumi.backends.remote.dialects.message_blocks import ANSWER_TOOL, read_input, to_json
from oumi.backends.remote.dialects.reply import decode_object, shorten
from oumi.backends.remote.dialects.sse import EventDecoder
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError, read_error
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Delta, Usage
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
_ERROR_STATUS = {"overloaded_error": 529, "rate_limit_error": 429, "timeout_error": 504}


def decode(body: bytes, config: InferenceConfig) -> Completion:
    """The completion in a reply.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    data = decode_object(body)
    if not isinstance(data.get("content"), list) or data.get("stop_reason") is None:
        raise BadReplyError(f"a reply without an answer: {shorten(body)}")
    try:
        return _decode_message(data, config)
    except Exception as error:
        raise UnreadableAnswerError(f"an answer in a strange form: {error}", body) from error


def stream_decoder(config: InferenceConfig) -> StreamDecoder:
    """A decoder for one streamed reply."""
    return StreamDecoder(config)


class StreamDecoder:
    """The bytes of a streamed reply to pieces. Raises BadReplyError for what is no reply."""

    def __init__(self, config: InferenceConfig) -> None:
        self._config = config
        self._by_tool = answers_by_tool(config)
        self._events = EventDecoder()
        self._message: dict[str, Any] = {"content": [], "stop_reason": None, "usage": {}}
        self._blocks: list[dict[str, Any]] = self._message["content"]

    def feed(self, chunk: bytes) -> list[Delta]:
        """The pieces of text that end within `chunk`."""
        deltas = [self._decode(event) for event in self._events.feed(chunk)]
        return [delta for delta in deltas if delta.content or delta.reasoning_content]

    def last(self) -> Delta:
        """The piece that carries the whole answer. Raises BadReplyError for a cut-off stream."""
        if self._message["stop_reason"] is None:
            raise BadReplyError("the stream was cut off")
        return Delta(completion=_decode_message(self._message, self._config))

    def _decode(self, data: bytes) -> Delta:
        event = _decode_event(data)
        try:
            return self._add(event)
        except (LookupError, TypeError, AttributeError) as error:
            raise BadReplyError(f"an event in a strange form: {shorten(data)}") from error

    def _add(self, event: Mapping[str, Any]) -> Delta:
        match event.get("type"):
            case "message_start":
                self._message["usage"] |= event["message"].get("usage") or {}
            case "content_block_start":
                self._blocks.append(dict(event["content_block"]))
            case "content_block_delta":
                return self._add_delta(self._blocks[event["index"]], event["delta"])
            case "content_block_stop":
                _close(self._blocks[event["index"]], as_text=self._by_tool)
            case "message_delta":
                self._message |= event["delta"]
                self._message["usage"] |= _without_nulls(event.get("usage") or {})
        return Delta()

    def _add_delta(self, block: dict[str, Any], delta: Mapping[str, Any]) -> Delta:
        match delta.get("type"):
            case "text_delta":
                block["text"] = block.get("text", "") + delta["text"]
                return Delta(delta["text"])
            case "thinking_delta":
                block["thinking"] = block.get("thinking", "") + delta["thinking"]
                return Delta(reasoning_content=delta["thinking"])
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
            case "input_json_delta":
                block["json"] = block.get("json", "") + delta["partial_json"]
                return Delta(delta["partial_json"] if self._by_tool else "")
        return Delta()


def _decode_event(data: bytes) -> dict[str, Any]:
    """An event of a stream. Raises BadReplyError for one that reports an error."""
    try:
        return decode_object(data)
    except BadReplyError as error:
        error.status = _ERROR_STATUS.get(read_error(data)[0])
        raise


def _close(block: dict[str, Any], *, as_text: bool) -> None:
    """Read the input of a call, which came in pieces."""
    text = block.pop("json", None)
    if text:
        block["input"] = read_input(text, as_text=as_text)


def _without_nulls(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in usage.items() if value is not None}


def _decode_message(data: Mapping[str, Any], config: InferenceConfig) -> Completion:
    blocks: list[dict[str, Any]] = data["content"]
    finish_reason = _FINISH_REASONS.get(data["stop_reason"], FinishReason.UNKNOWN)
    if answers_by_tool(config) and (answer := _find_answer(blocks)):
        blocks = [block for block in blocks if block["type"] != "text"]
        blocks = [answer if block["type"] == "tool_use" else block for block in blocks]
        if finish_reason is FinishReason.TOOL_CALLS:
            finish_reason = FinishReason.STOP
    text = _join(blocks, "text")
    if finish_reason is FinishReason.CONTENT_FILTER and not text:
        text = (data.get("stop_details") or {}).get("explanation") or ""
    return Completion(_message(blocks, text), finish_reason, _decode_usage(data.get("usage") or {}))


def _find_answer(blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The text block that a call of the tool for answers means."""
    calls = (b for b in blocks if b["type"] == "tool_use" and b["name"] == ANSWER_TOOL)
    call = next(calls, None)
    return None if call is None else {"type": "text", "text": to_json(call["input"])}


def _message(blocks: list[dict[str, Any]], text: str) -> Message:
    calls = [_decode_call(block) for block in blocks if block["type"] == "tool_use"]
    is_plain = all(block["type"] in _PLAIN_BLOCKS for block in blocks)
    return Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=_join(blocks, "thinking") or None,
        content_blocks=None if is_plain else blocks,
    )


def _join(blocks: list[dict[str, Any]], kind: str) -> str:
    return "".join(block[kind] for block in blocks if block["type"] == kind)


def _decode_call(block: Mapping[str, Any]) -> ToolCall:
    function = FunctionCall(name=block["name"], arguments=to_json(block["input"]))
    return ToolCall(id=block["id"], function=function)


def _decode_usage(usage: Mapping[str, Any]) -> Usage:
    """Token counts. The API counts what it reads from its cache and writes to it apart."""
    read = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    details = usage.get("output_tokens_details") or {}
    return Usage(
        (usage.get("input_tokens") or 0) + read + written,
        usage.get("output_tokens") or 0,
        read,
        details.get("thinking_tokens") or 0,
    )

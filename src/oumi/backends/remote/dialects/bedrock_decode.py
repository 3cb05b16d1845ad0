"""Replies of Bedrock's Converse, whole and streamed.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from oumi.backends.remote.dialects.bedrock_encode import answers_by_tool
from oumi.backends.remote.dialects.message_blocks import ANSWER_TOOL, read_input, to_json
from oumi.backends.remote.dialects.reply import decode_object, shorten
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError, read_error
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import FinishReason, Message, Role
from oumi.core.types.tool_call import FunctionCall, ToolCall
from oumi.errors import MissingDependencyError

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
_ERROR_STATUS = {
    "throttlingException": 429,
    "serviceUnavailableException": 503,
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "validationException": 400,
}


def decode(body: bytes, config: InferenceConfig) -> Completion:
    """The completion in a reply.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    data = decode_object(body)
    message = (data.get("output") or {}).get("message")
    if not isinstance(message, dict) or data.get("stopReason") is None:
        raise BadReplyError(f"a reply without an answer: {shorten(body)}")
    try:
        return _decode_message(message["content"], data, config)
    except Exception as error:
        raise UnreadableAnswerError(f"an answer in a strange form: {error}", body) from error


def decode_models(body: bytes) -> list[str]:
    """The names in a list of models. Raises BadReplyError for a body that is none."""
    try:
        return [str(model["modelId"]) for model in decode_object(body)["modelSummaries"]]
    except (LookupError, TypeError) as error:
        raise BadReplyError(f"not a list of models: {shorten(body)}") from error


def stream_decoder(config: InferenceConfig) -> StreamDecoder:
    """A decoder for one streamed reply. Raises MissingDependencyError without botocore."""
    return StreamDecoder(config)


class StreamDecoder:
    """The bytes of a streamed reply to pieces. Raises BadReplyError for what is no reply."""

    def __init__(self, config: InferenceConfig) -> None:
        self._config = config
        self._by_tool = answers_by_tool(config)
        self._events = _event_buffer()
        self._blocks: dict[int, dict[str, Any]] = {}
        self._end: dict[str, Any] = {}

    def feed(self, chunk: bytes) -> list[Delta]:
        """The pieces of text that end within `chunk`."""
        self._events.add_data(chunk)
        deltas = [self._decode(event) for event in self._read_events()]
        return [delta for delta in deltas if delta.content or delta.reasoning_content]

    def last(self) -> Delta:
        """The piece that carries the whole answer. Raises BadReplyError for a cut-off stream."""
        if self._end.get("stopReason") is None:
            raise BadReplyError("the stream was cut off")
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        return Delta(completion=_decode_message(blocks, self._end, self._config))

    def _read_events(self) -> list[Any]:
        from botocore.eventstream import ParserError

        try:
            return list(self._events)
        except ParserError as error:
            raise BadReplyError(f"a stream that is no stream of events: {error}") from error

    def _decode(self, event: Any) -> Delta:
        headers, payload = event.headers, event.payload
        if headers.get(":message-type") != "event":
            kind = headers.get(":exception-type") or headers.get(":error-code") or "an error"
            text = headers.get(":error-message") or read_error(payload)[1]
            raise BadReplyError(f"{kind}: {text}", status=_ERROR_STATUS.get(kind))
        try:
            return self._add(headers[":event-type"], decode_object(payload))
        except (LookupError, TypeError, AttributeError) as error:
            raise BadReplyError(f"an event in a strange form: {shorten(payload)}") from error

    def _add(self, kind: str, event: dict[str, Any]) -> Delta:
        match kind:
            case "contentBlockStart":
                self._blocks[event["contentBlockIndex"]] = _started(event["start"])
            case "contentBlockDelta":
                block = self._blocks.setdefault(event["contentBlockIndex"], {})
                return self._add_delta(block, event["delta"])
            case "contentBlockStop":
                block = self._blocks.setdefault(event["contentBlockIndex"], {})
                _close(block, as_text=self._by_tool)
            case "messageStop" | "metadata":
                self._end |= event
        return Delta()

    def _add_delta(self, block: dict[str, Any], delta: Mapping[str, Any]) -> Delta:
        if "text" in delta:
            block["text"] = block.get("text", "") + delta["text"]
            return Delta(delta["text"])
        if "toolUse" in delta:
            block["toolUse"]["input"] += delta["toolUse"]["input"]
            return Delta(delta["toolUse"]["input"] if self._by_tool else "")
        if "reasoningContent" in delta:
            return _add_reasoning(block, delta["reasoningContent"])
        return Delta()


def _event_buffer() -> Any:
    try:
        from botocore.eventstream import EventStreamBuffer
    except ImportError as error:
        raise MissingDependencyError(
            "BEDROCK needs botocore, which is not installed: pip install 'oumi-infer[bedrock]'"
        ) from error
    return EventStreamBuffer()


def _started(start: Mapping[str, Any]) -> dict[str, Any]:
    return {"toolUse": {**start["toolUse"], "input": ""}} if "toolUse" in start else dict(start)


def _add_reasoning(block: dict[str, Any], delta: Mapping[str, Any]) -> Delta:
    reasoning = block.setdefault("reasoningContent", {})
    if "redactedContent" in delta:
        data = base64.b64decode(reasoning.get("redactedContent", ""))
        data += base64.b64decode(delta["redactedContent"])
        reasoning["redactedContent"] = base64.b64encode(data).decode()
        return Delta()
    text = reasoning.setdefault("reasoningText", {"text": ""})
    text["text"] += delta.get("text", "")
    if "signature" in delta:
        text["signature"] = text.get("signature", "") + delta["signature"]
    return Delta(reasoning_content=delta.get("text", ""))


def _close(block: dict[str, Any], *, as_text: bool) -> None:
    """Read the input of a call, which came in pieces."""
    if "toolUse" in block:
        text = block["toolUse"]["input"] or "{}"
        block["toolUse"]["input"] = read_input(text, as_text=as_text)


def _decode_message(
    blocks: list[dict[str, Any]], data: Mapping[str, Any], config: InferenceConfig
) -> Completion:
    finish_reason = _FINISH_REASONS.get(data["stopReason"], FinishReason.UNKNOWN)
    if answers_by_tool(config) and (answer := _find_answer(blocks)):
        blocks = [block for block in blocks if "text" not in block]
        blocks = [answer if "toolUse" in block else block for block in blocks]
        if finish_reason is FinishReason.TOOL_CALLS:
            finish_reason = FinishReason.STOP
    return Completion(_message(blocks), finish_reason, _decode_usage(data.get("usage") or {}))


def _find_answer(blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The text block that a call of the tool for answers means."""
    calls = (block["toolUse"] for block in blocks if "toolUse" in block)
    call = next((call for call in calls if call["name"] == ANSWER_TOOL), None)
    return None if call is None else {"text": to_json(call["input"])}


def _message(blocks: list[dict[str, Any]]) -> Message:
    calls = [_decode_call(block["toolUse"]) for block in blocks if "toolUse" in block]
    text = "".join(block["text"] for block in blocks if "text" in block)
    thoughts = "".join(_thought(block) for block in blocks)
    return Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=thoughts or None,
        content_blocks=None if all(block.keys() <= _PLAIN_BLOCKS for block in blocks) else blocks,
    )


def _thought(block: Mapping[str, Any]) -> str:
    reasoning = block.get("reasoningContent") or {}
    return (reasoning.get("reasoningText") or {}).get("text") or ""


def _decode_call(call: Mapping[str, Any]) -> ToolCall:
    function = FunctionCall(name=call["name"], arguments=to_json(call["input"]))
    return ToolCall(id=call["toolUseId"], function=function)


def _decode_usage(usage: Mapping[str, Any]) -> Usage:
    """Token counts. The API counts what it reads from its cache and writes to it apart."""
    read = usage.get("cacheReadInputTokens") or 0
    written = usage.get("cacheWriteInputTokens") or 0
    prompt = (usage.get("inputTokens") or 0) + read + written
    return Usage(prompt, usage.get("outputTokens") or 0, read)

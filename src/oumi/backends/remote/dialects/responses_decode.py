"""Replies of OpenAI's Responses API, whole and streamed.

https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from oumi.backends.openai_reply import as_mapping, read_count
from oumi.backends.recordable import check_recordable
from oumi.backends.remote.dialects import responses_output
from oumi.backends.remote.dialects.json_events import JsonEvents
from oumi.backends.remote.dialects.reply import decode_object, no_answer
from oumi.backends.remote.dialects.responses_stream import ResponseAssembler
from oumi.backends.remote.dialects.stream import ReplyStream, decode_stream, is_stream
from oumi.backends.remote.errors import UnreadableAnswerError
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message, Role

_FAILED = ("failed", "cancelled", "queued", "in_progress")
_INCOMPLETE = {
    "max_output_tokens": FinishReason.LENGTH,
    "max_tool_calls": FinishReason.LENGTH,
    "max_messages": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
"""Why an answer is incomplete."""


def decode(body: bytes, config: InferenceConfig) -> Completion:
    """The completion in a reply.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    if is_stream(body):
        return decode_stream(stream_decoder(config), body)
    data = decode_object(body)
    if not _holds_answer(data):
        raise no_answer(body)
    try:
        return _decode_response(data, config)
    except Exception as error:
        raise UnreadableAnswerError(f"an answer in a strange form: {error}", body) from error


def stream_decoder(config: InferenceConfig) -> ReplyStream:
    """A decoder for one streamed reply."""
    assembler = ResponseAssembler(partial(_decode_response, config=config))
    return ReplyStream(JsonEvents(), assembler, partial(decode, config=config))


def _holds_answer(data: Mapping[str, Any]) -> bool:
    """Whether there is an answer, or a reason why it is empty."""
    if data.get("status") in _FAILED:
        return False
    return bool(data.get("output") or ("output" in data and data.get("status")))


def _decode_response(data: Mapping[str, Any], config: InferenceConfig) -> Completion:
    items = responses_output.read_items(data.get("output"))
    calls = responses_output.calls_of_items(items)
    text = responses_output.text_of_items(items)
    message = Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=responses_output.reasoning_of_items(items) or None,
        content_blocks=None if all(map(responses_output.is_plain, items)) else items,
    )
    logprobs = config.generation.logprobs is not None
    completion = Completion(
        message,
        _finish_reason(data, has_calls=bool(calls), refuses=responses_output.is_refusal(items)),
        _decode_usage(data.get("usage")),
        responses_output.logprobs_of_items(items) if logprobs else None,
    )
    check_recordable(completion.message)
    return completion


def _finish_reason(data: Mapping[str, Any], *, has_calls: bool, refuses: bool) -> FinishReason:
    match data.get("status"):
        case "incomplete":
            reason = as_mapping(data.get("incomplete_details")).get("reason")
            return _INCOMPLETE.get(str(reason), FinishReason.UNKNOWN)
        case "completed" if refuses:
            return FinishReason.CONTENT_FILTER
        case "completed":
            return FinishReason.TOOL_CALLS if has_calls else FinishReason.STOP
    return FinishReason.UNKNOWN


def _decode_usage(value: object) -> Usage:
    usage = as_mapping(value)
    prompt_details = as_mapping(usage.get("input_tokens_details"))
    answer_details = as_mapping(usage.get("output_tokens_details"))
    return Usage(
        read_count(usage.get("input_tokens")),
        read_count(usage.get("output_tokens")),
        read_count(prompt_details.get("cached_tokens")),
        read_count(answer_details.get("reasoning_tokens")),
        read_count(prompt_details.get("cache_write_tokens")),
    )

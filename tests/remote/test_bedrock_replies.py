"""Replies of Converse, held against botocore's model of the service, read by us."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from oumi.backends.remote.dialects import bedrock
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError
from oumi.core.configs import GuidedDecodingParams
from oumi.core.types import Completion, FinishReason
from tests.fault_server.eventstream import event, exception, message
from tests.remote.sdk_types import operation, problem
from tests.remote.talks import settings
from tests.shapes import PRODUCT

CONFIG = settings("us.anthropic.claude-opus-5")
BY_TOOL = settings("amazon.nova-pro-v1:0", guided_decoding=GuidedDecodingParams(json=PRODUCT))

REPLY = operation("Converse").output_shape
STREAM_REPLY = operation("ConverseStream").output_shape.members["stream"]

SIGNED = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s1"}}}
REDACTED = {"reasoningContent": {"redactedContent": "eHl6"}}
TEXT = {"text": "Grüß Gott"}
CALL = {"toolUse": {"toolUseId": "c1", "name": "add", "input": {"a": 1}}}
USAGE = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}


def reply(*blocks: dict, stop_reason: str = "end_turn", usage: dict = USAGE) -> bytes:
    """A reply that the service can give."""
    data = {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": stop_reason,
        "usage": usage,
        "metrics": {"latencyMs": 1},
    }
    assert problem(data, REPLY) == ""
    return orjson.dumps(data)


def decode(*blocks: dict, **fields: Any) -> Completion:
    return bedrock.decode(reply(*blocks, **fields), CONFIG)


def test_a_plain_reply():
    completion = decode(TEXT)
    assert completion.message.content == "Grüß Gott"
    assert completion.message.model_dump(exclude_none=True).keys() == {"role", "content"}
    assert completion.finish_reason is FinishReason.STOP


def test_thoughts_and_calls():
    message = decode(SIGNED, REDACTED, TEXT, CALL, stop_reason="tool_use").message
    assert (message.reasoning_content, message.content) == ("Hm.", "Grüß Gott")
    assert message.tool_calls[0].function.get_arguments_dict() == {"a": 1}
    assert message.content_blocks == [SIGNED, REDACTED, TEXT, CALL]
    assert decode(CALL).message.content is None


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("guardrail_intervened", FinishReason.CONTENT_FILTER),
        ("content_filtered", FinishReason.CONTENT_FILTER),
        ("malformed_tool_use", FinishReason.ERROR),
    ],
)
def test_finish_reasons(word: str, reason: FinishReason):
    assert decode(TEXT, stop_reason=word).finish_reason is reason


def test_tokens_that_the_cache_read_or_wrote_are_tokens_of_the_prompt():
    usage = USAGE | {"cacheReadInputTokens": 100, "cacheWriteInputTokens": 1000}
    assert decode(TEXT, usage=usage).usage.to_dict() == {
        "prompt_tokens": 1110,
        "completion_tokens": 5,
        "cached_tokens": 100,
        "cache_creation_tokens": 1000,
        "total_tokens": 1115,
    }


def test_an_answer_by_a_tool_is_an_answer():
    answer = {"toolUseId": "c1", "name": "answer", "input": {"name": "Pen", "price": 20}}
    body = reply(TEXT, {"toolUse": answer}, stop_reason="tool_use")
    completion = bedrock.decode(body, BY_TOOL)
    assert completion.message.content == '{"name":"Pen","price":20}'
    assert completion.message.tool_calls is None
    assert completion.finish_reason is FinishReason.STOP


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"output": {}, "stopReason": "end_turn"}',
        b'{"output": {"message": {"role": "assistant", "content": []}}}',
        reply(TEXT)[:60],
    ],
)
def test_a_body_that_is_no_reply_may_be_asked_for_again(body: bytes):
    with pytest.raises(BadReplyError) as caught:
        bedrock.decode(body, CONFIG)
    assert caught.value.retryable


def test_a_strange_answer_is_kept():
    body = b'{"output": {"message": {"content": [3]}}, "stopReason": "end_turn"}'
    with pytest.raises(UnreadableAnswerError) as caught:
        bedrock.decode(body, CONFIG)
    assert caught.value.reply == body.decode()


def part(kind: str, **fields: Any) -> bytes:
    assert problem({kind: fields}, STREAM_REPLY) == ""
    return event(kind, **fields)


def piece(index: int, delta: dict) -> bytes:
    return part("contentBlockDelta", contentBlockIndex=index, delta=delta)


def stop(index: int) -> bytes:
    return part("contentBlockStop", contentBlockIndex=index)


def call_start(index: int, name: str = "add", call_id: str = "c1") -> bytes:
    start = {"toolUse": {"toolUseId": call_id, "name": name}}
    return part("contentBlockStart", contentBlockIndex=index, start=start)


HEAD = part("messageStart", role="assistant")
END = part("messageStop", stopReason="tool_use") + part(
    "metadata", usage=USAGE, metrics={"latencyMs": 1}
)
STREAM = b"".join(
    [
        HEAD,
        piece(0, {"reasoningContent": {"text": "H"}}),
        piece(0, {"reasoningContent": {"text": "m."}}),
        piece(0, {"reasoningContent": {"signature": "s1"}}),
        stop(0),
        piece(1, {"reasoningContent": {"redactedContent": "eA=="}}),
        piece(1, {"reasoningContent": {"redactedContent": "eXo="}}),
        stop(1),
        piece(2, {"text": "Grüß"}),
        piece(2, {"text": " Gott"}),
        stop(2),
        call_start(3),
        piece(3, {"toolUse": {"input": '{"a"'}}),
        piece(3, {"toolUse": {"input": ":1}"}}),
        stop(3),
        call_start(4, "now", "c2"),
        stop(4),
        END,
    ]
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_stream_in_pieces_of_any_size(size: int):
    check_stream([STREAM[i : i + size] for i in range(0, len(STREAM), size)])


def test_a_stream_cut_at_every_byte():
    for cut in range(len(STREAM)):
        check_stream([STREAM[:cut], STREAM[cut:]])


def check_stream(pieces: list[bytes]) -> None:
    decoder = bedrock.stream_decoder(CONFIG)
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    assert [delta.content for delta in deltas if delta.content] == ["Grüß", " Gott"]
    assert "".join(delta.reasoning_content for delta in deltas) == "Hm."
    now = {"toolUse": {"toolUseId": "c2", "name": "now", "input": {}}}
    whole = decode(SIGNED, REDACTED, TEXT, CALL, now, stop_reason="tool_use")
    assert decoder.last().completion == whole


def test_a_stream_that_breaks_off_is_no_answer():
    decoder = bedrock.stream_decoder(CONFIG)
    decoder.feed(STREAM[: -len(END)])
    with pytest.raises(BadReplyError, match="cut off"):
        decoder.last()


def test_an_answer_by_a_tool_streams_as_text():
    decoder = bedrock.stream_decoder(BY_TOOL)
    decoder.feed(HEAD + call_start(0, "answer"))
    deltas = decoder.feed(piece(0, {"toolUse": {"input": '{"name": "Pen"}'}}) + stop(0) + END)
    assert [delta.content for delta in deltas] == ['{"name": "Pen"}']
    assert decoder.last().completion.message.content == '{"name": "Pen"}'


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("throttlingException", 429),
        ("serviceUnavailableException", 503),
        ("modelStreamErrorException", 424),
    ],
)
def test_an_error_inside_a_stream(kind: str, status: int):
    with pytest.raises(BadReplyError, match=rf"{kind}: Not now\.") as caught:
        bedrock.stream_decoder(CONFIG).feed(HEAD + exception(kind, "Not now."))
    assert caught.value.status == status


def test_an_error_of_the_stream_itself():
    headers = {":message-type": "error", ":error-code": "Broken", ":error-message": "Oh."}
    with pytest.raises(BadReplyError, match=r"Broken: Oh\."):
        bedrock.stream_decoder(CONFIG).feed(message(headers, b""))


@pytest.mark.parametrize("stream", [STREAM[:40] + b"x" + STREAM[41:], b"\0" * 20])
def test_what_is_no_stream(stream: bytes):
    with pytest.raises(BadReplyError, match="no stream of events"):
        bedrock.stream_decoder(CONFIG).feed(stream)


def test_a_strange_event_is_kept_with_what_came_before():
    decoder = bedrock.stream_decoder(CONFIG)
    decoder.feed(HEAD + piece(0, {"text": "Grüß"}))
    with pytest.raises(UnreadableAnswerError, match="strange form") as caught:
        decoder.feed(event("contentBlockDelta", contentBlockIndex=0))
    assert caught.value.reply.startswith("Grüß")

"""Replies of the messages API, made by the official SDK's own types, read by us."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types import Message as Reply
from anthropic.types import ModelInfo, RawMessageStreamEvent
from pydantic import TypeAdapter

from oumi.backends.remote.dialects import anthropic
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError
from oumi.core.configs import GuidedDecodingParams
from oumi.core.types import Completion, FinishReason, ToolCallDelta
from tests.remote.talks import settings
from tests.shapes import PRODUCT

CONFIG = settings("claude-opus-5-5")
BY_TOOL = settings("claude-opus-4-1", guided_decoding=GuidedDecodingParams(json=PRODUCT))
EVENT = TypeAdapter(RawMessageStreamEvent)

THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "s1"}
REDACTED = {"type": "redacted_thinking", "data": "x"}
TEXT = {"type": "text", "text": "Grüß Gott"}
CALL = {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}
SEARCH = {
    "type": "server_tool_use",
    "id": "st1",
    "name": "web_search",
    "input": {"query": "x"},
}


def reply(*blocks: dict, stop_reason: str = "end_turn", **fields: Any) -> bytes:
    """A reply that the official SDK can express."""
    data = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": list(blocks),
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
        **fields,
    }
    return Reply.model_validate(data).model_dump_json(exclude_none=True).encode()


def decode(*blocks: dict, **fields: Any) -> Completion:
    return anthropic.decode(reply(*blocks, **fields), CONFIG)


def test_a_plain_reply():
    completion = decode(TEXT)
    assert completion.message.content == "Grüß Gott"
    assert completion.message.model_dump(exclude_none=True).keys() == {"role", "content"}
    assert completion.finish_reason is FinishReason.STOP


def test_thoughts_are_told_and_kept_with_their_signatures():
    message = decode(THINKING, REDACTED, TEXT).message
    assert (message.reasoning_content, message.content) == ("Hm.", "Grüß Gott")
    assert message.content_blocks == [THINKING, REDACTED, TEXT]
    kept = Completion.from_dict(orjson.loads(orjson.dumps(decode(THINKING, TEXT).to_dict())))
    assert kept.message.content_blocks == [THINKING, TEXT]


def test_calls():
    message = decode(TEXT, CALL, stop_reason="tool_use").message
    assert message.content == "Grüß Gott"
    assert message.tool_calls[0].id == "c1"
    assert message.tool_calls[0].function.get_arguments_dict() == {"a": 1}
    assert message.content_blocks is None
    assert decode(CALL).message.content is None


def test_what_the_api_did_itself_is_kept():
    completion = decode(SEARCH, TEXT, stop_reason="pause_turn")
    assert completion.finish_reason is FinishReason.LENGTH
    assert completion.message.tool_calls is None
    assert completion.message.content_blocks[0]["id"] == "st1"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", FinishReason.STOP),
        ("stop_sequence", FinishReason.STOP),
        ("max_tokens", FinishReason.LENGTH),
        ("model_context_window_exceeded", FinishReason.LENGTH),
        ("pause_turn", FinishReason.LENGTH),
        ("tool_use", FinishReason.TOOL_CALLS),
        ("refusal", FinishReason.CONTENT_FILTER),
    ],
)
def test_finish_reasons(word: str, reason: FinishReason):
    assert decode(TEXT, stop_reason=word).finish_reason is reason


def test_a_reason_that_is_new_is_unknown():
    body = reply(TEXT).replace(b"end_turn", b"new_word")
    assert anthropic.decode(body, CONFIG).finish_reason is FinishReason.UNKNOWN


def test_a_refusal_says_why():
    details = {"type": "refusal", "category": "bio", "explanation": "Too dangerous."}
    refused = decode(stop_reason="refusal", stop_details=details)
    assert refused.message.content == "Too dangerous."
    assert decode(stop_reason="refusal").message.content == ""


def test_tokens_that_the_cache_read_or_wrote_are_tokens_of_the_prompt():
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 1000,
        "output_tokens": 50,
        "output_tokens_details": {"thinking_tokens": 40},
    }
    assert decode(TEXT, usage=usage).usage.to_dict() == {
        "prompt_tokens": 1110,
        "completion_tokens": 50,
        "cached_tokens": 100,
        "cache_creation_tokens": 1000,
        "reasoning_tokens": 40,
        "total_tokens": 1160,
    }


def test_an_answer_by_a_tool_is_an_answer():
    answer = {**CALL, "name": "answer", "input": {"name": "Pen", "price": 20}}
    body = reply(TEXT, answer, stop_reason="tool_use")
    completion = anthropic.decode(body, BY_TOOL)
    assert completion.message.content == '{"name":"Pen","price":20}'
    assert completion.message.tool_calls is None
    assert completion.finish_reason is FinishReason.STOP
    refused = anthropic.decode(reply(TEXT, stop_reason="refusal"), BY_TOOL)
    assert refused.message.content == "Grüß Gott"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"type": "message", "stop_reason": "end_turn"}',
        b'{"type": "message", "content": null}',
        b'{"type": "message", "content": []}',
        b'{"type": "error", "error": {"type": "api_error", "message": "oops"}}',
        reply(TEXT)[:60],
    ],
)
def test_a_body_that_is_no_reply_may_be_asked_for_again(body: bytes):
    with pytest.raises(BadReplyError) as caught:
        anthropic.decode(body, CONFIG)
    assert caught.value.retryable
    assert (caught.value.reply or "") == body.decode()


def test_nothing_is_an_answer_where_the_model_ended_it():
    body = b'{"type": "message", "content": null, "stop_reason": "end_turn"}'
    completion = anthropic.decode(body, CONFIG)
    assert (completion.message.content, completion.finish_reason) == ("", FinishReason.STOP)


def test_a_strange_answer_is_kept():
    body = b'{"content": [{"type": 3}], "stop_reason": "end_turn"}'
    with pytest.raises(UnreadableAnswerError) as caught:
        anthropic.decode(body, CONFIG)
    assert caught.value.reply == body.decode()


def test_models():
    model = {"id": "claude-opus-5-5", "type": "model", "display_name": "Opus"}
    facts = {"created_at": "2026-09-01T00:00:00Z", "lifecycle": "active"}
    info = ModelInfo.model_validate(model | facts).model_dump(mode="json")
    body = orjson.dumps({"data": [info], "has_more": False})
    assert anthropic.decode_models(body) == ["claude-opus-5-5"]


def event(**fields: Any) -> bytes:
    EVENT.validate_python(fields, strict=True)
    return b"event: %b\ndata: %b\n\n" % (fields["type"].encode(), orjson.dumps(fields))


def start(index: int, block: dict) -> bytes:
    return event(type="content_block_start", index=index, content_block=block)


def piece(index: int, kind: str, **fields: Any) -> bytes:
    delta = {"type": kind, **fields}
    return event(type="content_block_delta", index=index, delta=delta)


def stop(index: int) -> bytes:
    return event(type="content_block_stop", index=index)


HEAD = event(type="message_start", message=orjson.loads(reply()) | {"stop_reason": None})
END = event(
    type="message_delta",
    delta={"stop_reason": "tool_use", "stop_sequence": None},
    usage={"output_tokens": 25, "output_tokens_details": {"thinking_tokens": 7}},
) + event(type="message_stop")
STREAM = b"".join(
    [
        HEAD,
        start(0, {"type": "thinking", "thinking": "", "signature": ""}),
        b'event: ping\ndata: {"type": "ping"}\n\n',
        piece(0, "thinking_delta", thinking="H"),
        piece(0, "thinking_delta", thinking="m."),
        piece(0, "signature_delta", signature="s1"),
        stop(0),
        start(1, REDACTED),
        stop(1),
        start(2, {"type": "text", "text": ""}),
        piece(2, "text_delta", text="Grüß"),
        piece(2, "text_delta", text=" Gott"),
        stop(2),
        start(3, CALL | {"input": {}}),
        piece(3, "input_json_delta", partial_json=""),
        piece(3, "input_json_delta", partial_json='{"a"'),
        piece(3, "input_json_delta", partial_json=":1}"),
        stop(3),
        start(4, {"type": "tool_use", "id": "c2", "name": "now", "input": {}}),
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
    decoder = anthropic.stream_decoder(CONFIG)
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    assert [delta.content for delta in deltas if delta.content] == ["Grüß", " Gott"]
    assert "".join(delta.reasoning_content for delta in deltas) == "Hm."
    calls = [CALL, {"type": "tool_use", "id": "c2", "name": "now", "input": {}}]
    assert [part for delta in deltas for part in delta.tool_calls] == [
        ToolCallDelta(0, CALL["id"], CALL["name"]),
        ToolCallDelta(0, arguments='{"a"'),
        ToolCallDelta(0, arguments=":1}"),
        ToolCallDelta(1, "c2", "now"),
    ]
    usage = {
        "input_tokens": 10,
        "output_tokens": 25,
        "output_tokens_details": {"thinking_tokens": 7},
    }
    whole = decode(THINKING, REDACTED, TEXT, *calls, stop_reason="tool_use", usage=usage)
    assert decoder.last().completion == whole


def test_a_stream_that_breaks_off_is_no_answer():
    decoder = anthropic.stream_decoder(CONFIG)
    decoder.feed(STREAM[: STREAM.index(b"event: message_delta")])
    with pytest.raises(BadReplyError, match="cut off"):
        decoder.last()


def test_a_call_that_was_cut_off_stays_as_the_model_wrote_it():
    decoder = anthropic.stream_decoder(CONFIG)
    decoder.feed(HEAD + start(0, CALL | {"input": {}}))
    decoder.feed(piece(0, "input_json_delta", partial_json='{"a"') + stop(0) + END)
    [cut] = decoder.last().completion.message.tool_calls
    assert cut.function.arguments == '{"a"'


def test_an_answer_by_a_tool_streams_as_text():
    decoder = anthropic.stream_decoder(BY_TOOL)
    decoder.feed(HEAD + start(0, CALL | {"name": "answer", "input": {}}))
    deltas = decoder.feed(
        piece(0, "input_json_delta", partial_json='{"name": "Pen",')
        + piece(0, "input_json_delta", partial_json=' "price": 20}')
        + stop(0)
        + END
    )
    assert "".join(delta.content for delta in deltas) == '{"name": "Pen", "price": 20}'
    assert decoder.last().completion.message.content == '{"name": "Pen", "price": 20}'


@pytest.mark.parametrize(
    ("kind", "status"), [("overloaded_error", 529), ("rate_limit_error", 429), ("api_error", None)]
)
def test_an_error_inside_a_stream(kind: str, status: int | None):
    error = {"type": "error", "error": {"type": kind, "message": "Not now."}}
    decoder = anthropic.stream_decoder(CONFIG)
    with pytest.raises(BadReplyError, match=r"Not now\.") as caught:
        decoder.feed(HEAD + b"event: error\ndata: " + orjson.dumps(error) + b"\n\n")
    assert caught.value.status == status
    assert caught.value.overload is (status is not None)


def test_a_strange_event_is_kept_with_what_came_before():
    decoder = anthropic.stream_decoder(CONFIG)
    decoder.feed(HEAD + piece(0, "text_delta", text="Grüß"))
    with pytest.raises(UnreadableAnswerError, match="strange form") as caught:
        decoder.feed(b'data: {"type": "content_block_delta", "delta": 3}\n\n')
    assert caught.value.reply == 'Grüß{"type":"content_block_delta","delta":3}'

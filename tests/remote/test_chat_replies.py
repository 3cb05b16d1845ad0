"""Replies of the chat dialect, in the official SDK's own types."""

from __future__ import annotations

import json

import orjson
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from oumi.backends.remote.dialects import chat
from oumi.backends.remote.dialects.sse import EventDecoder
from oumi.backends.remote.errors import BadReplyError
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import FinishReason, Message, Role

PLAIN = InferenceConfig()
ASKED_FOR_LOGPROBS = InferenceConfig(generation=GenerationParams(logprobs=0))

REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "logprobs": None,
        }
    ],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}


def reply(message: dict | None = None, finish_reason: str = "stop", **fields: object) -> bytes:
    """A reply that the official SDK can express."""
    data = json.loads(json.dumps(REPLY))
    data["choices"][0]["message"].update(message or {})
    data["choices"][0]["finish_reason"] = finish_reason
    data.update(fields)
    return ChatCompletion.model_validate(data).model_dump_json().encode()


def test_a_plain_reply():
    completion = chat.decode(reply(), PLAIN)
    assert completion.message == Message(role=Role.ASSISTANT, content="Hello")
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage.to_dict() == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cached_tokens": 4,
        "cache_creation_tokens": 2,
        "reasoning_tokens": 3,
        "total_tokens": 15,
    }


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter"])
def test_finish_reasons(reason: str):
    assert chat.decode(reply(finish_reason=reason), PLAIN).finish_reason == reason


def test_tool_calls_reasoning_refusals_and_no_usage():
    call = {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    calls = chat.decode(reply({"content": None, "tool_calls": [call]}, "tool_calls"), PLAIN)
    assert calls.message.content is None
    assert calls.message.tool_calls[0].function.get_arguments_dict() == {"a": 1}
    thought = chat.decode(reply({"reasoning_content": "hm"}), PLAIN)
    assert thought.message.reasoning_content == "hm"
    refused = chat.decode(reply({"content": None, "refusal": "No."}), PLAIN)
    assert (refused.message.content, refused.finish_reason) == ("No.", FinishReason.CONTENT_FILTER)
    assert chat.decode(reply(usage=None), PLAIN).usage.total_tokens == 0


def test_logprobs_only_where_asked():
    data = json.loads(reply())
    data["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": -1.0}]}
    body = json.dumps(data).encode()
    assert chat.decode(body, PLAIN).logprobs is None
    assert chat.decode(body, ASKED_FOR_LOGPROBS).logprobs["content"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"index": 0}]}',
        b'{"choices": [{"message": null}]}',
        b'{"error": {"message": "oops"}}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": null}, "finish_reason": "error"}]}',
        reply()[:60],
    ],
)
def test_a_body_that_is_no_reply_may_be_asked_for_again(body: bytes):
    with pytest.raises(BadReplyError) as caught:
        chat.decode(body, PLAIN)
    assert caught.value.retryable
    assert (caught.value.reply or "") == body.decode()


def test_nothing_is_an_answer_where_the_model_ended_it():
    completion = chat.decode(reply({"content": None}), PLAIN)
    assert (completion.message.content, completion.finish_reason) == ("", FinishReason.STOP)


def chunk(delta: dict, finish_reason: str | None = None, **fields: object) -> bytes:
    data = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        **fields,
    }
    ChatCompletionChunk.model_validate(data)
    return b"data: " + orjson.dumps(data) + b"\r\n\r\n"


STREAM = b": hello\n\n" + b"".join(
    [
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Grüß"}),
        chunk({"content": " Gott"}),
        chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "add"}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}, "tool_calls"),
        chunk({}, choices=[], usage=REPLY["usage"]),
        b"data: [DONE]\n\n",
    ]
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_stream_cut_anywhere_is_the_same_stream(size: int):
    decoder = chat.stream_decoder(PLAIN)
    pieces = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    assert [delta.content for delta in deltas if delta.content] == ["Grüß", " Gott"]
    calls = [part.arguments for delta in deltas for part in delta.tool_calls]
    assert "".join(calls) == '{"a":1}'
    whole = decoder.last().completion
    assert whole.message.content == "Grüß Gott"
    assert whole.message.tool_calls[0].function.get_arguments_dict() == {"a": 1}
    assert whole.finish_reason is FinishReason.TOOL_CALLS
    assert whole.usage.completion_tokens == 5


def test_a_stream_that_breaks_off_is_no_answer():
    decoder = chat.stream_decoder(PLAIN)
    list(decoder.feed(STREAM[:300]))
    with pytest.raises(BadReplyError, match="cut off"):
        decoder.last()
    with pytest.raises(BadReplyError, match="overloaded"):
        chat.stream_decoder(PLAIN).feed(b'data: {"error": {"message": "overloaded"}}\n\n')


def test_events_with_all_ends_of_lines():
    decoder = EventDecoder()
    text = b"data: a\ndata: b\n\ndata:c\r\n\r\nevent: x\rdata: d\r\r"
    events = [event for i in range(len(text)) for event in decoder.feed(text[i : i + 1])]
    assert events == [b"a\nb", b"c", b"d"]
    assert list(decoder.feed(b"\n")) == []  # the second half of the last end

"""What single providers do that others do not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from oumi.backends.remote.dialects import chat
from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.types import Conversation, FinishReason
from oumi.errors import AccessError, ModelNotFoundError, RequestError, UnavailableError
from oumi.runner.request import Request
from tests.remote.test_chat_replies import reply

PLAIN = InferenceConfig()


def error_of(status: int, body: Any) -> Exception:
    return to_error(status, orjson.dumps(body), None, "X", "X_KEY")


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (402, AccessError, "Insufficient credits"),
        (400, ModelNotFoundError, "m is not a valid model ID"),
        (429, UnavailableError, "Provider returned error"),
        (502, UnavailableError, "No healthy upstream"),
        ("server_error", BadReplyError, "Internal error"),
    ],
)
def test_openrouter_sends_errors_with_status_200(code: Any, kind: type[Exception], text: str):
    body = orjson.dumps({"error": {"code": code, "message": text}, "user_id": "user_1"})
    with pytest.raises(kind, match=text):
        chat.decode(body, PLAIN)
    with pytest.raises(kind, match=text):
        chat.stream_decoder(PLAIN).feed(b": OPENROUTER PROCESSING\n\ndata: " + body + b"\n\n")


def test_openrouter_sends_errors_inside_of_a_choice():
    error = {"code": 502, "message": "Provider disconnected", "metadata": {}}
    choice = {"message": {"role": "assistant", "content": "Hal"}, "error": error}
    body = orjson.dumps({"choices": [{**choice, "finish_reason": "error"}]})
    with pytest.raises(BadReplyError):
        chat.decode(body, PLAIN)


def test_a_moderator_refuses_a_row_and_not_the_run():
    metadata = {"reasons": ["violence"], "flagged_input": "row-1", "provider_name": "P"}
    flagged = {"error": {"code": 403, "message": "flagged", "metadata": metadata}}
    refused = error_of(403, flagged)
    assert isinstance(refused, RequestError)
    assert not refused.ends_run
    assert isinstance(error_of(403, {"error": {"code": 403, "message": "no"}}), AccessError)


@pytest.mark.parametrize(
    "word",
    [
        "SAFETY",
        "RECITATION",
        "PROHIBITED_CONTENT",
        "content_filter: PROHIBITED_CONTENT",
        "content_filter",
    ],
)
def test_gemini_stops_for_safety(word: str):
    choice = {"index": 0, "finish_reason": word, "message": {"role": "assistant"}}
    completion = chat.decode(orjson.dumps({"choices": [choice]}), PLAIN)
    assert completion.finish_reason is FinishReason.CONTENT_FILTER
    assert completion.message.content == ""


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("model_length", FinishReason.LENGTH),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("eos", FinishReason.STOP),
        ("STOP", FinishReason.STOP),
        ("function_call", FinishReason.TOOL_CALLS),
        ("something", FinishReason.UNKNOWN),
    ],
)
def test_other_words_for_the_end(word: str, reason: FinishReason):
    data = orjson.loads(reply())
    data["choices"][0]["finish_reason"] = word
    assert chat.decode(orjson.dumps(data), PLAIN).finish_reason is reason


THOUGHTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Two and "}]},
    {"type": "thinking", "thinking": [{"type": "text", "text": "two."}]},
    {"type": "text", "text": "Four"},
]


def test_mistral_thinks_in_parts_of_the_content():
    message = {"role": "assistant", "content": THOUGHTS, "tool_calls": None}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    completion = chat.decode(orjson.dumps({"choices": [choice]}), PLAIN)
    assert completion.message.content == "Four"
    assert completion.message.reasoning_content == "Two and two."


def test_mistral_thinks_in_parts_of_a_stream():
    decoder = chat.stream_decoder(PLAIN)
    deltas = []
    for index, part in enumerate(THOUGHTS):
        end = "stop" if index == 2 else None
        chunk = {"choices": [{"delta": {"content": [part]}, "finish_reason": end}]}
        deltas += decoder.feed(b"data: " + orjson.dumps(chunk) + b"\n\n")
    assert [delta.reasoning_content for delta in deltas] == ["Two and ", "two.", ""]
    whole = decoder.last().completion.message
    assert (whole.content, whole.reasoning_content) == ("Four", "Two and two.")


def test_groq_and_others_call_thoughts_reasoning():
    data = orjson.loads(reply())
    data["choices"][0]["message"]["reasoning"] = "Hm."
    completion = chat.decode(orjson.dumps(data), PLAIN)
    assert completion.message.reasoning_content == "Hm."


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        pytest.param(
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            (32, 103, 94),
            id="xai",
        ),
        pytest.param(
            {"prompt_tokens": 8, "completion_tokens": 20, "total_tokens": 128},
            (8, 120, 100),
            id="gemini",
        ),
        pytest.param(
            {
                "prompt_tokens": 8,
                "completion_tokens": 120,
                "total_tokens": 128,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            (8, 120, 100),
            id="openai",
        ),
        pytest.param({"prompt_tokens": 8, "completion_tokens": 20}, (8, 20, 0), id="no total"),
    ],
)
def test_thoughts_are_paid_for_wherever_they_are_counted(usage: dict, counts: tuple):
    data = orjson.loads(reply(usage=None)) | {"usage": usage}
    found = chat.decode(orjson.dumps(data), PLAIN).usage
    assert (found.prompt_tokens, found.completion_tokens, found.reasoning_tokens) == counts


def test_together_counts_cached_tokens_beside_the_others():
    usage = {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10, "cached_tokens": 6}
    data = orjson.loads(reply(usage=None)) | {"usage": usage}
    assert chat.decode(orjson.dumps(data), PLAIN).usage.cached_tokens == 6


def test_together_lists_models_without_an_object_around_them():
    assert chat.decode_models(b'[{"id": "a", "type": "chat"}, {"id": "b"}]') == ["a", "b"]
    for body in (b"[1]", b'{"data": [{}]}', b"<html>", b"{}"):
        with pytest.raises(BadReplyError):
            chat.decode_models(body)


SIGNED_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "add", "arguments": "{}"},
    "extra_content": {"google": {"thought_signature": "c2lnbmVk"}},
}


def test_gemini_gets_its_signed_thoughts_back():
    data = orjson.loads(reply({"content": None}))
    data["choices"][0]["message"]["tool_calls"] = [SIGNED_CALL]
    message = chat.decode(orjson.dumps(data), PLAIN).message
    saved = Conversation.model_validate_json(Conversation(messages=[message]).to_json())
    body = orjson.loads(chat.encode(Request(saved, PLAIN), {}))
    assert body["messages"][0]["tool_calls"] == [SIGNED_CALL]
    decoder = chat.stream_decoder(PLAIN)
    for delta, end in (({"tool_calls": [{"index": 0, **SIGNED_CALL}]}, None), ({}, "tool_calls")):
        chunk = {"choices": [{"delta": delta, "finish_reason": end}]}
        decoder.feed(b"data: " + orjson.dumps(chunk) + b"\n\n")
    assert decoder.last().completion.message.tool_calls == message.tool_calls


def test_fireworks_takes_a_grammar():
    guided = GuidedDecodingParams(grammar='root ::= "yes" | "no"')
    config = InferenceConfig(
        model=ModelParams(model_name="m"),
        generation=GenerationParams(guided_decoding=guided),
    )
    body = chat.shared_body(config, find_provider("FIREWORKS"))
    assert body["response_format"] == {"type": "grammar", "grammar": 'root ::= "yes" | "no"'}


def test_gemini_says_in_the_body_how_long_to_wait():
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36.5s"}
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota", "details": [retry]}
    assert error_of(429, [{"error": error}]).wait_s == 36.5
    assert error_of(429, [{"error": {**error, "details": ["?", {}]}}]).wait_s is None


def test_spent_credit_stops_the_run():
    assert isinstance(error_of(402, {"error": {"message": "Insufficient Balance"}}), AccessError)
    groq = {"error": {"message": "flex tier capacity exceeded", "code": "capacity_exceeded"}}
    assert isinstance(error_of(498, groq), UnavailableError)

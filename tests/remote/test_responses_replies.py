"""Replies of OpenAI's Responses API, held against the official SDK's own types."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from oumi.backends.remote.dialects import responses
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError
from oumi.core.types import Completion, Delta, FinishReason, Usage
from oumi.errors import OumiError, RequestError, UnavailableError
from tests.remote.talks import settings

CONFIG = settings("gpt-5-pro")
EVENT = TypeAdapter(ResponseStreamEvent)
THOUGHT = {
    "id": "rs_1",
    "type": "reasoning",
    "summary": [
        {"type": "summary_text", "text": "First."},
        {"type": "summary_text", "text": "Then."},
    ],
    "encrypted_content": "gAAAAAB==",
}
PART = {"type": "output_text", "text": "Grüß Gott", "annotations": [], "logprobs": []}
TEXT = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [PART],
}
CALL = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "add",
    "arguments": '{"a":1}',
}
SEARCH = {
    "id": "ws_1",
    "type": "web_search_call",
    "status": "completed",
    "action": {"type": "search", "query": "a"},
}
REFUSAL = {**TEXT, "content": [{"type": "refusal", "refusal": "I will not."}]}
USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 3},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 5},
    "total_tokens": 19,
}


def response(*items: Any, **fields: Any) -> dict[str, Any]:
    """A whole response. Raises ValidationError where the SDK would not take it."""
    value = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1790000000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5-pro",
        "output": list(items),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": USAGE,
        **fields,
    }
    Response.model_validate(value)
    return value


def decode(*items: Any, **fields: Any) -> Completion:
    return responses.decode(orjson.dumps(response(*items, **fields)), CONFIG)


def events(*items: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """The events of a streamed response, which the SDK takes."""
    whole = response(*items, **fields)
    found: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**whole, "output": []}}
    ]
    for index, item in enumerate(items):
        empty = {"content": []} if item["type"] == "message" else {"summary": []}
        empty = {"arguments": ""} if item["type"] == "function_call" else empty
        start = {**item, **empty} if item["type"] != "web_search_call" else item
        found.append({"type": "response.output_item.added", "output_index": index, "item": start})
        found += deltas(item, {"output_index": index, "item_id": item["id"]})
        found.append({"type": "response.output_item.done", "output_index": index, "item": item})
    found.append({"type": f"response.{whole['status']}", "response": whole})
    for number, event in enumerate(found):
        EVENT.validate_python(event | {"sequence_number": number})
    return found


def deltas(item: dict[str, Any], place: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of an item, each text in two pieces."""
    pieces: list[tuple[str, dict[str, Any], str]] = []
    for number, part in enumerate(item.get("summary") or ()):
        where = {"summary_index": number}
        pieces.append(("response.reasoning_summary_text.delta", where, part["text"]))
    for number, part in enumerate(item.get("content") or ()):
        where = {"content_index": number}
        if part["type"] == "output_text":
            where["logprobs"] = []
        text = part.get("text") or part.get("refusal")
        pieces.append((f"response.{part['type']}.delta", where, text))
    if "arguments" in item:
        pieces.append(("response.function_call_arguments.delta", {}, item["arguments"]))
    return [
        {"type": kind, **place, **where, "delta": half}
        for kind, where, text in pieces
        for half in (text[:3], text[3:])
    ]


def stream(*found: Any) -> tuple[list[Delta], Completion]:
    decoder = responses.stream_decoder(CONFIG)
    read = [delta for event in found for delta in decoder.feed(sse(event))]
    last = decoder.last()
    return [*read, last], last.completion


def sse(event: Any) -> bytes:
    return b"event: x\ndata: " + orjson.dumps(event) + b"\n\n"


def test_an_answer_with_all_there_is() -> None:
    completion = decode(THOUGHT, TEXT, CALL)
    message = completion.message
    assert (message.content, message.reasoning_content) == ("Grüß Gott", "First.\n\nThen.")
    [call] = message.tool_calls
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "add", '{"a":1}')
    assert completion.finish_reason is FinishReason.TOOL_CALLS
    assert completion.usage == Usage(12, 7, 8, 5, 3)
    assert message.content_blocks == [THOUGHT, TEXT, CALL]


@pytest.mark.parametrize(
    ("item", "is_kept"),
    [
        (TEXT, False),
        (CALL, False),
        (REFUSAL, False),
        ({**THOUGHT, "encrypted_content": None}, False),
        (THOUGHT, True),
        (SEARCH, True),
        ({**TEXT, "phase": "commentary"}, True),
        ({**CALL, "namespace": "math"}, True),
        (
            {**THOUGHT, "encrypted_content": None, "content": [{**PART, "type": "reasoning_text"}]},
            1,
        ),
    ],
)
def test_items_are_kept_where_the_message_does_not_say_all(item: Any, is_kept: bool) -> None:
    assert (decode(item).message.content_blocks is not None) is bool(is_kept)


def test_a_thought_that_is_shown_goes_before_its_summary() -> None:
    shown = [{"type": "reasoning_text", "text": "All of it."}]
    assert decode({**THOUGHT, "content": shown}, TEXT).message.reasoning_content == "All of it."


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, FinishReason.STOP),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            FinishReason.LENGTH,
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            FinishReason.CONTENT_FILTER,
        ),
        ({"status": "incomplete"}, FinishReason.UNKNOWN),
    ],
)
def test_how_it_ended(fields: dict[str, Any], reason: FinishReason) -> None:
    assert decode(TEXT, **fields).finish_reason is reason
    assert stream(*events(TEXT, **fields))[1].finish_reason is reason


def test_thoughts_without_an_answer() -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    completion = decode(THOUGHT, **cut)
    assert (completion.message.content, completion.finish_reason) == ("", FinishReason.LENGTH)
    assert completion.usage.reasoning_tokens == 5


def test_a_refusal() -> None:
    completion = decode(REFUSAL)
    assert completion.message.content == "I will not."
    assert completion.finish_reason is FinishReason.CONTENT_FILTER
    read, whole = stream(*events(REFUSAL))
    assert "".join(delta.content for delta in read) == "I will not."
    assert whole == completion


def test_log_probabilities_have_the_form_of_the_chat_api() -> None:
    entry = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
    body = orjson.dumps(response({**TEXT, "content": [{**PART, "logprobs": [entry]}]}))
    assert responses.decode(body, settings("m", logprobs=1)).logprobs == {"content": [entry]}
    assert responses.decode(body, CONFIG).logprobs is None


@pytest.mark.parametrize("items", [(TEXT,), (THOUGHT, TEXT), (THOUGHT, TEXT, CALL), (SEARCH, TEXT)])
def test_a_stream_is_the_same_answer(items: tuple[dict[str, Any], ...]) -> None:
    read, whole = stream(*events(*items))
    assert whole == decode(*items)
    assert "".join(delta.content for delta in read) == (whole.message.content or "")
    thoughts = "".join(delta.reasoning_content for delta in read)
    assert thoughts == (whole.message.reasoning_content or "")


@pytest.mark.parametrize("items", [(TEXT,), (THOUGHT, TEXT, CALL)])
@pytest.mark.parametrize("without", ["output", "done", "added", "start and end"])
def test_a_stream_that_leaves_out_what_others_repeat(items: Any, without: str) -> None:
    kept = []
    for event in events(*items):
        kind = event["type"]
        if kind == "response.completed":
            event = {**event, "response": {**event["response"], "output": []}}
        is_end, is_start = kind.endswith("item.done"), kind.endswith("item.added")
        if (is_end and without in ("done", "start and end")) or (is_start and without == "added"):
            continue
        if not (is_start and without == "start and end" and event["item"]["type"] == "message"):
            kept.append(event)
    _, whole = stream(*kept)
    message = whole.message
    assert (message.content, whole.finish_reason) == (
        "Grüß Gott",
        decode(*items).finish_reason,
    )
    assert message.tool_calls == decode(*items).message.tool_calls
    assert message.reasoning_content == decode(*items).message.reasoning_content


def test_text_that_only_the_last_event_has_is_streamed() -> None:
    read, whole = stream({"type": "response.completed", "response": response(TEXT)})
    assert "".join(delta.content for delta in read) == whole.message.content == "Grüß Gott"


def test_done_without_a_last_event() -> None:
    decoder = responses.stream_decoder(CONFIG)
    for event in events(TEXT)[:-1]:
        decoder.feed(sse(event))
    decoder.feed(b"data: [DONE]\n\n")
    completion = decoder.last().completion
    assert (completion.message.content, completion.finish_reason) == (
        "Grüß Gott",
        FinishReason.UNKNOWN,
    )


def error_of(body: dict[str, Any]) -> OumiError:
    with pytest.raises(OumiError) as caught:
        responses.decode(orjson.dumps(body), CONFIG)
    return caught.value


def failed(code: str) -> dict[str, Any]:
    error = {"code": code, "message": "Not now."}
    return response(status="failed", error=error, usage=None)


def test_a_response_that_failed() -> None:
    error = error_of(failed("server_error"))
    assert isinstance(error, BadReplyError)
    assert "Not now." in str(error)
    assert error_of(failed("rate_limit_exceeded")).status == 429


@pytest.mark.parametrize("code", ["invalid_prompt", "image_too_large", "bio_policy"])
def test_what_would_fail_again_is_not_asked_again(code: str) -> None:
    error = error_of(failed(code))
    assert isinstance(error, RequestError)
    assert not error.retryable
    assert not error.ends_run


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "Too busy.", "param": None},
        {"type": "error", "error": {"code": "server_error", "message": "Too busy."}},
        {"type": "response.failed", "response": {"error": {"message": "Too busy."}}},
        {"message": "Too busy.", "code": 503},
    ],
    ids=str,
)
def test_an_error_in_a_stream_keeps_what_came_before(event: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError, match="Too busy") as caught:
        stream(*events(TEXT)[:3], event)
    assert caught.value.reply == "Grü"


@pytest.mark.parametrize(
    "body",
    [
        {"object": "response", "output": []},
        {**response(), "status": "failed"},
        {**response(), "status": "queued"},
        {"choices": [{"message": {"content": "a"}}]},
    ],
)
def test_what_holds_no_answer(body: dict[str, Any]) -> None:
    assert isinstance(error_of(body), BadReplyError)


def test_odd_items() -> None:
    def read(*items: Any) -> Any:
        body = {"status": "completed", "output": list(items)}
        return responses.decode(orjson.dumps(body), CONFIG).message

    assert read("bare").content == "bare"
    assert read({"content": "no type"}).content == "no type"
    [call] = read({"type": "function_call", "name": "f", "arguments": {"a": 1}}).tool_calls
    assert call.function.arguments == '{"a":1}'
    assert call.id
    for wrong in (7, {"type": "function_call", "call_id": "c"}, {**TEXT, "content": [{"x": 1}]}):
        with pytest.raises(UnreadableAnswerError):
            read(wrong)

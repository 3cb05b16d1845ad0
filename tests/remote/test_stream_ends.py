"""How a stream begins, ends and breaks off, in every dialect."""

from __future__ import annotations

import orjson
import pytest

from oumi.backends.remote.dialects import anthropic, chat
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError
from oumi.core.types import FinishReason
from oumi.errors import OumiError
from tests.fault_server.eventstream import exception
from tests.remote.test_odd_replies import BOM, CONFIG, FORMS, HTML, Form, every_dialect, read, sse

SSE = {name: form for name, form in FORMS.items() if form.frame is sse}
every_sse = pytest.mark.parametrize("form", SSE.values(), ids=SSE)
DONE = b"data: [DONE]\n\n"


def error_of(form: Form, stream: bytes) -> OumiError:
    with pytest.raises(OumiError) as caught:
        read(form, stream)
    return caught.value


@every_sse
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: s, id="as it should be"),
        pytest.param(lambda s: s + DONE, id="done"),
        pytest.param(lambda s: s + b"data: [DONE] \n\n", id="done with a space"),
        pytest.param(lambda s: s + b'data: "[DONE]"', id="done in quotes"),
        pytest.param(lambda s: s.rstrip(b"\n") + b"\n", id="no blank line at the end"),
        pytest.param(lambda s: s.rstrip(b"\n"), id="no end of the last line"),
        pytest.param(lambda s: BOM + s, id="byte order mark"),
        pytest.param(lambda s: b"\n\r\n" + s, id="blank lines before"),
        pytest.param(lambda s: b": comment\n\n" + s, id="a comment before"),
        pytest.param(lambda s: s.replace(b"\n\n", b"\n\ndata:\n\n"), id="events without data"),
        pytest.param(lambda s: s.replace(b"\n", b"\r\n"), id="other ends of lines"),
        pytest.param(lambda s: s + b'data: {"choices":[], "usa', id="a torn event after the end"),
    ],
)
def test_the_answer_is_whole(form: Form, change) -> None:
    text, completion = read(form, change(form.stream(b'"a"', b'"b"')))
    assert text == completion.message.content == "ab"
    assert completion.finish_reason is FinishReason.STOP


@every_dialect
def test_an_answer_in_place_of_a_stream(form: Form) -> None:
    body = form.reply % (b'"whole"', b"{}")
    for odd in (body, BOM + body, b"\n " + body):
        text, completion = read(form, odd)
        assert (text, completion.message.content) == ("whole", "whole")


@every_dialect
def test_a_page_in_place_of_a_stream(form: Form) -> None:
    error = error_of(form, HTML)
    assert isinstance(error, BadReplyError)
    assert "a page of HTML" in str(error)
    assert error.reply == HTML.decode()


@every_sse
def test_other_text_in_place_of_a_stream(form: Form) -> None:
    error = error_of(form, b"upstream connect error")
    assert "upstream connect error" in str(error)
    assert error.reply == "upstream connect error"


@every_dialect
def test_an_empty_stream(form: Form) -> None:
    assert isinstance(error_of(form, b""), BadReplyError)


@every_dialect
def test_what_came_before_the_end_is_kept(form: Form) -> None:
    whole = form.stream(b'"Gr\xc3\xbc\xc3\x9f"', b'" Gott"')
    end = len(form.frame(form.events[1]))
    error = error_of(form, whole[:-end])
    assert isinstance(error, BadReplyError)
    assert "cut off" in str(error)
    assert error.reply == "Grüß Gott"


@every_sse
def test_a_character_in_two_events(form: Form) -> None:
    text, completion = read(form, form.stream(b'"a\\ud83d"', b'"\\ude00b"', b'"c\\ud83d"', b'"d"'))
    assert text == completion.message.content == "a😀bc\ufffdd"
    assert read(form, form.stream(b'"a\\ud83d"'))[0] == "a\ufffd"


ERRORS = [
    b'data: {"error": {"message": "Too busy.", "type": "server_error"}}\n\n',
    b'data: {"error": "Too busy."}\n\n',
    b'event: error\ndata: {"error": {"message": "Too busy."}}\n\n',
    b'event: error\ndata: {"type": "error", "error": {"message": "Too busy."}}\n\n',
    b"event: error\ndata: Too busy.\n\n",
    b"data: Too busy.",
    b'error: {"code": 500, "error": {"message": "Too busy."}}\n\n',
    b'\n{"error": {"message": "Too busy."}}\n',
    b'\n{\n  "error": {\n    "message": "Too busy."\n  }\n}\n',
    b'[{\n  "error": {\n    "message": "Too busy."\n  }\n}]',
]


@every_sse
@pytest.mark.parametrize("event", ERRORS)
def test_an_error_keeps_the_servers_words(form: Form, event: bytes) -> None:
    error = error_of(form, form.frame(form.events[0] % b'"Grue"') + event)
    assert isinstance(error, BadReplyError)
    assert "Too busy." in str(error)
    assert error.reply == "Grue", "the answer as far as it came"


@pytest.mark.parametrize(
    "event",
    [
        {"message": "Too busy.", "code": 500},
        {"object": "error", "message": "Too busy."},
        {"detail": "Too busy."},
        {"choices": [{"error": {"message": "Too busy.", "code": "502"}}]},
    ],
    ids=str,
)
def test_errors_of_servers_like_openai(event: dict) -> None:
    before = sse(b'{"choices":[{"delta":{"content":"Grue"}}]}')
    error = error_of(FORMS["chat"], before + sse(orjson.dumps(event)))
    assert "Too busy" in str(error)
    assert error.reply == "Grue"


def test_an_error_of_bedrock_keeps_its_words() -> None:
    form = FORMS["bedrock"]
    stream = form.frame(form.events[0] % b'"Grue"') + exception("throttlingException", "Too busy.")
    error = error_of(form, stream)
    assert "Too busy." in str(error)
    assert (error.status, error.reply) == (429, "Grue")


def test_done_without_a_reason() -> None:
    stream = sse(b'{"choices":[{"delta":{"content":"a"}}]}') + DONE
    text, completion = read(FORMS["chat"], stream)
    assert (text, completion.finish_reason) == ("a", FinishReason.UNKNOWN)
    assert isinstance(error_of(FORMS["chat"], DONE), BadReplyError)
    stop = sse(b'{"type":"message_stop"}')
    event = FORMS["anthropic"].events[0] % b'"a"'
    assert read(FORMS["anthropic"], sse(event) + stop)[0] == "a"


def test_choices_by_their_index() -> None:
    def choices(*pairs: tuple[int, str]) -> bytes:
        found = [{"index": i, "delta": {"content": text}} for i, text in pairs]
        return sse(orjson.dumps({"choices": found}))

    end = sse(FORMS["chat"].events[1])
    stream = choices((0, "a")) + choices((1, "X")) + choices((1, "Y"), (0, "b")) + end
    assert read(FORMS["chat"], stream)[0] == "ab"
    only = choices((3, "a")) + sse(b'{"choices":[{"index":3,"delta":{},"finish_reason":"stop"}]}')
    assert read(FORMS["chat"], only)[0] == "a"


def test_a_whole_message_in_a_chunk() -> None:
    chunk = {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]}
    assert read(FORMS["chat"], sse(orjson.dumps(chunk)))[0] == "a"


def test_a_refusal_in_parts() -> None:
    parts = [{"refusal": "I will"}, {"refusal": " not."}]
    events = [sse(orjson.dumps({"choices": [{"delta": delta}]})) for delta in parts]
    text, completion = read(FORMS["chat"], b"".join(events) + sse(FORMS["chat"].events[1]))
    assert text == completion.message.content == "I will not."
    assert completion.finish_reason is FinishReason.CONTENT_FILTER


def anthropic_stream(*events: dict) -> bytes:
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    return b"".join(sse(orjson.dumps(event)) for event in (*events, end))


def block(index: int | None, start: dict | None, *deltas: dict) -> list[dict]:
    place = {} if index is None else {"index": index}
    head = [{"type": "content_block_start", **place, "content_block": start}] if start else []
    parts = [{"type": "content_block_delta", **place, "delta": delta} for delta in deltas]
    return [*head, *parts, {"type": "content_block_stop", **place}]


TEXT = {"type": "text", "text": ""}
A, B = ({"type": "text_delta", "text": text} for text in "ab")
INPUT = {"type": "input_json_delta", "partial_json": '{"a":1}'}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([*block(1, TEXT, A), *block(2, TEXT, B)], id="from 1"),
        pytest.param([*block(0, None, A, B)], id="no start"),
        pytest.param([*block(None, TEXT, A, B)], id="no index"),
        pytest.param([*block(0, {"type": "text", "text": "a"}, B)], id="text in the start"),
    ],
)
def test_blocks_of_anthropic(events: list[dict]) -> None:
    decoder = anthropic.stream_decoder(CONFIG)
    decoder.feed(anthropic_stream(*events))
    assert decoder.last().completion.message.content == "ab"


@pytest.mark.parametrize(
    ("start", "deltas", "arguments"),
    [
        ({"type": "tool_use", "id": "c", "name": "f"}, [], "{}"),
        ({"type": "tool_use", "id": "c", "name": "f"}, [INPUT], '{"a":1}'),
        ({"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}, [], '{"a":1}'),
    ],
)
def test_calls_of_anthropic(start: dict, deltas: list[dict], arguments: str) -> None:
    decoder = anthropic.stream_decoder(CONFIG)
    decoder.feed(anthropic_stream(*block(1, start, *deltas)))
    [call] = decoder.last().completion.message.tool_calls
    assert (call.id, call.function.arguments) == ("c", arguments)


def test_a_call_without_a_name_is_kept() -> None:
    decoder = chat.stream_decoder(CONFIG)
    call = {"index": 0, "id": "a", "function": {"arguments": "{}"}}
    decoder.feed(sse(orjson.dumps({"choices": [{"delta": {"tool_calls": [call]}}]})))
    decoder.feed(sse(FORMS["chat"].events[1]))
    with pytest.raises(UnreadableAnswerError):
        decoder.last()

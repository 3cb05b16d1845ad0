"""Odd replies with an answer in them, in every dialect: the answer is read, whatever is odd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
import pytest

from oumi.backends.remote.dialects import Dialect, anthropic, bedrock, chat, responses
from oumi.backends.remote.errors import BadReplyError, UnreadableAnswerError
from oumi.core.configs import InferenceConfig
from oumi.core.types import Completion, FinishReason
from tests.fault_server.eventstream import message

CONFIG = InferenceConfig()
BOM = b"\xef\xbb\xbf"
HTML = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


class Form(NamedTuple):
    """How a dialect writes an answer: `%b` is its content as JSON, and its usage."""

    dialect: Dialect
    reply: bytes
    events: tuple[bytes, ...]
    """Of the same answer: text, text, end."""
    frame: Callable[[bytes], bytes]

    def decode(self, content: bytes, usage: bytes = b"{}") -> Completion:
        return self.dialect.decode(self.reply % (content, usage), CONFIG)

    def stream(self, *texts: bytes) -> bytes:
        """A stream with these texts, which are JSON."""
        text, end = self.events
        return b"".join([*(self.frame(text % text_json) for text_json in texts), self.frame(end)])


def sse(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def converse(data: bytes) -> bytes:
    kind = orjson.loads(data[: data.index(b":")] + b":0}").popitem()[0]
    headers = {":event-type": kind, ":message-type": "event"}
    return message(headers, data[data.index(b":") + 1 : -1])


FORMS = {
    "chat": Form(
        chat,
        b'{"choices":[{"finish_reason":"stop","message":{"content":%b}}],"usage":%b}',
        (
            b'{"choices":[{"delta":{"content":%b}}]}',
            b'{"choices":[{"delta":{},"finish_reason":"stop"}]}',
        ),
        sse,
    ),
    "anthropic": Form(
        anthropic,
        b'{"content":[{"type":"text","text":%b}],"stop_reason":"end_turn","usage":%b}',
        (
            b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%b}}',
            b'{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
        ),
        sse,
    ),
    "responses": Form(
        responses,
        b'{"output":[{"type":"message","content":[{"type":"output_text","text":%b}]}],'
        b'"status":"completed","usage":%b}',
        (
            b'{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":%b}',
            b'{"type":"response.completed","response":{"status":"completed"}}',
        ),
        sse,
    ),
    "bedrock": Form(
        bedrock,
        b'{"output":{"message":{"content":[{"text":%b}]}},"stopReason":"end_turn","usage":%b}',
        (
            b'{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":%b}}}',
            b'{"messageStop":{"stopReason":"end_turn"}}',
        ),
        converse,
    ),
}
every_dialect = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)

NOT_STRICT = [
    pytest.param(b'"a\\ud83db"', "a\ufffdb", id="half a character"),
    pytest.param(b'"a\xffb"', "a\ufffdb", id="not UTF-8"),
    pytest.param(b'"a\tb\x01"', "a\tb\x01", id="control characters"),
    pytest.param(b'"a","x":NaN,"y":-Infinity,"z":Infinity', "a", id="NaN"),
]


def read(form: Form, stream: bytes) -> tuple[str, Completion]:
    """The text that was streamed, and the whole answer; the same however the bytes are cut."""
    found = []
    for size in (1, 7, len(stream)):
        decoder = form.dialect.stream_decoder(CONFIG)
        pieces = [stream[i : i + size] for i in range(0, len(stream), size)]
        deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
        deltas.append(decoder.last())
        found.append(("".join(delta.content for delta in deltas), deltas[-1].completion))
    assert found[0] == found[1] == found[2]
    return found[0]


@every_dialect
@pytest.mark.parametrize(("content", "text"), NOT_STRICT)
def test_json_that_is_not_strict(form: Form, content: bytes, text: str) -> None:
    completion = form.decode(content)
    assert completion.message.content == text
    orjson.dumps(completion.to_dict())
    streamed, whole = read(form, form.stream(b'"1"', content))
    assert streamed == whole.message.content == f"1{text}"


@every_dialect
def test_a_byte_order_mark(form: Form) -> None:
    body = BOM + form.reply % (b'"a"', b"{}")
    assert form.dialect.decode(body, CONFIG).message.content == "a"


@every_dialect
@pytest.mark.parametrize(
    "usage",
    [
        *(None, [], "many", 7, True, [{"prompt_tokens": 1}]),
        *({"prompt_tokens": x, "input_tokens": x, "inputTokens": x} for x in ("x", -1, [], 1e30)),
        {"prompt_tokens_details": 3, "completion_tokens_details": [], "output_tokens_details": "x"},
    ],
    ids=str,
)
def test_usage_of_any_shape(form: Form, usage: Any) -> None:
    completion = form.decode(b'"a"', orjson.dumps(usage))
    assert completion.message.content == "a"
    assert completion.usage.total_tokens == 0


@every_dialect
def test_usage_as_text_or_with_a_fraction(form: Form) -> None:
    names = ("prompt_tokens", "input_tokens", "inputTokens")
    usage = form.decode(b'"a"', orjson.dumps(dict.fromkeys(names, "12"))).usage
    assert usage.prompt_tokens == 12
    usage = form.decode(b'"a"', orjson.dumps(dict.fromkeys(names, 12.0))).usage
    assert usage.prompt_tokens == 12


@every_dialect
@pytest.mark.parametrize("reason", ['"new"', "[]", "{}", "7", "true"])
def test_a_strange_reason_for_the_end(form: Form, reason: str) -> None:
    body = form.reply % (b'"a"', b"{}")
    for word in (b'"stop"', b'"end_turn"', b'"completed"'):
        body = body.replace(word, reason.encode())
    completion = form.dialect.decode(body, CONFIG)
    assert completion.message.content == "a"
    assert completion.finish_reason is FinishReason.UNKNOWN


@every_dialect
def test_no_reason_for_the_end(form: Form) -> None:
    body = form.reply % (b'"a"', b"{}")
    for word in (b'"stop"', b'"end_turn"', b'"completed"'):
        body = body.replace(word, b"null")
    completion = form.dialect.decode(body, CONFIG)
    assert (completion.message.content, completion.finish_reason) == ("a", FinishReason.UNKNOWN)


@every_dialect
def test_null_for_text_is_an_empty_answer(form: Form) -> None:
    completion = form.decode(b"null")
    assert (completion.message.content, completion.finish_reason) == ("", FinishReason.STOP)


@every_dialect
def test_what_is_no_text_is_kept(form: Form) -> None:
    body = form.reply % (b'{"deep": 3}', b"{}")
    with pytest.raises(UnreadableAnswerError) as caught:
        form.dialect.decode(body, CONFIG)
    assert caught.value.reply == body.decode()
    assert not caught.value.retryable


@every_dialect
@pytest.mark.parametrize("body", [HTML, b"upstream connect error", b"", b"[]", b"3", b"{}"])
def test_what_holds_no_answer_is_kept_and_asked_again(form: Form, body: bytes) -> None:
    with pytest.raises(BadReplyError) as caught:
        form.dialect.decode(body, CONFIG)
    assert caught.value.retryable
    assert (caught.value.reply or "") == body.decode()
    assert ("HTML" in str(caught.value)) is (body is HTML)


CHAT_PARTS = [
    pytest.param([{"type": "text", "text": "a"}, {"type": "x", "text": "b"}], "ab", id="new type"),
    pytest.param(["a", {"text": "b"}], "ab", id="no type"),
    pytest.param({"type": "text", "text": "a"}, "a", id="one part"),
    pytest.param([{"type": "refusal", "refusal": "No."}], "No.", id="refusal"),
    pytest.param([{"type": "text", "text": "a"}, {"type": "reference"}], "a", id="citation"),
]


@pytest.mark.parametrize(("content", "text"), CHAT_PARTS)
def test_parts_of_content(content: Any, text: str) -> None:
    form = FORMS["chat"]
    assert form.decode(orjson.dumps(content)).message.content == text
    assert read(form, form.stream(orjson.dumps(content)))[0] == text


@pytest.mark.parametrize("content", [[{"type": "image_url", "image_url": "x"}], [7], 7])
def test_a_part_without_text_makes_an_answer_unreadable(content: Any) -> None:
    form = FORMS["chat"]
    with pytest.raises(UnreadableAnswerError):
        form.decode(orjson.dumps(content))
    with pytest.raises(UnreadableAnswerError) as caught:
        read(form, form.stream(b'"before "', orjson.dumps(content)))
    assert caught.value.reply.startswith("before ")


def choice(**fields: Any) -> Completion:
    """Of a reply with one choice."""
    body = orjson.dumps({"choices": [{"finish_reason": "stop", **fields}]})
    return chat.decode(body, CONFIG)


def test_forms_of_calls() -> None:
    old = choice(message={"content": None, "function_call": {"name": "f", "arguments": "{}"}})
    [call] = old.message.tool_calls
    assert (call.function.name, call.function.arguments) == ("f", "{}")
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}, {"name": "g", "arguments": None}]
    new = choice(message={"content": None, "tool_calls": calls}).message.tool_calls
    assert [c.function.arguments for c in new] == ['{"a":1}', "{}"]
    assert len({c.id for c in new}) == 2
    assert new == choice(message={"content": None, "tool_calls": calls}).message.tool_calls


def test_where_the_message_stands() -> None:
    assert choice(text="a").message.content == "a"
    assert choice(delta={"content": "a"}).message.content == "a"
    bare = orjson.dumps({"choices": {"message": {"content": "a"}}})
    assert chat.decode(bare, CONFIG).message.content == "a"
    choices = [{"index": 1, "message": {"content": "b"}}, {"index": 0, "message": {"content": "a"}}]
    assert chat.decode(orjson.dumps({"choices": choices}), CONFIG).message.content == "a"


def test_blocks_of_anthropic_without_id_or_input() -> None:
    body = orjson.dumps({"content": [{"type": "tool_use", "name": "f"}], "stop_reason": "tool_use"})
    [call] = anthropic.decode(body, CONFIG).message.tool_calls
    assert (call.function.name, call.function.arguments) == ("f", "{}")
    assert call.id
    bare = orjson.dumps({"content": "a", "stop_reason": "end_turn"})
    assert anthropic.decode(bare, CONFIG).message.content == "a"


@pytest.mark.parametrize("name", FORMS)
def test_a_stream_that_nobody_asked_for(name: str) -> None:
    form = FORMS[name]
    if form.frame is not sse:
        pytest.skip("its streams are of another media type")
    completion = form.dialect.decode(form.stream(b'"a"', b'"b"'), CONFIG)
    assert completion.message.content == "ab"

"""What each dialect is sent of roles, parts, results of tools, and definitions of tools."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types import message_create_params
from openai.types.chat import completion_create_params
from pydantic import TypeAdapter

from oumi.backends.provider import Provider
from oumi.backends.remote.dialects import load_dialect
from oumi.backends.remote.providers import PROVIDERS, find_provider
from oumi.core.types import ContentItem, Conversation, Message, Role, ToolDefinition, Type
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.request import Request
from tests.remote.sdk_types import known_to, operation, problem
from tests.remote.talks import PNG, call, settings

PDF, WAV = b"%PDF-1.7", b"RIFF\0\0\0\0WAVEfmt "
MARK = {"type": "ephemeral"}
OPENAI = TypeAdapter(completion_create_params.CompletionCreateParams)
ANTHROPIC = TypeAdapter(message_create_params.MessageCreateParamsNonStreaming)


def body_of(row: Provider, conversation: Conversation) -> dict[str, Any]:
    dialect, config = load_dialect(row.dialect), settings("m")
    shared = dialect.shared_body(config, row)
    return orjson.loads(dialect.encode(Request(conversation, config), shared, provider=row))


def sent(name: str, *messages: Message, **fields: Any) -> dict[str, Any]:
    return body_of(find_provider(name), Conversation(messages=list(messages), **fields))


def user(*items: ContentItem) -> Message:
    return Message(role=Role.USER, content=list(items))


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_developer_is_sent_where_it_is_known(row: Provider):
    messages = [Message(role="developer", content="Be kind."), Message(role="user", content="Hi")]
    body = body_of(row, Conversation(messages=messages))
    if row.dialect != "chat":
        assert "Be kind." in str(body["system"])
        return
    expected = "developer" if row.name in ("OPENAI", "AZURE", "OPENROUTER") else "system"
    assert [message["role"] for message in body["messages"]] == [expected, "user"]


def test_cache_control_of_parts_and_messages():
    text = ContentItem(type=Type.TEXT, content="x", cache_control=MARK)
    marked = Message(role=Role.SYSTEM, content="y", cache_control=MARK)
    part = {"type": "text", "text": "x", "cache_control": MARK}
    for name in ("OPENROUTER", "REMOTE"):
        system, asked = sent(name, marked, user(text))["messages"]
        assert system["content"] == [{**part, "text": "y"}]
        assert asked["content"] == [part]
    assert "cache_control" not in str(sent("OPENAI", marked, user(text)))
    assert sent("ANTHROPIC", user(text))["messages"][0]["content"] == [part]
    bedrock = sent("BEDROCK", user(text))["messages"][0]["content"]
    assert bedrock == [{"text": "x"}, {"cachePoint": {"type": "default"}}]


def test_an_empty_answer_is_left_out_where_the_api_refuses_it():
    talk = [Message(role="user", content="a"), Message(role="assistant", content=None)]
    roles = [message["role"] for message in sent("ANTHROPIC", *talk, talk[0])["messages"]]
    assert roles == ["user", "user"]
    assert [message["content"] for message in sent("OPENAI", *talk)["messages"]] == ["a", ""]


def test_detail_of_images():
    items = [
        ContentItem(type=Type.IMAGE_URL, content="https://example.org/a", detail="low"),
        ContentItem(type=Type.IMAGE_BINARY, binary=PNG, detail="high"),
    ]
    parts = sent("OPENAI", user(*items))["messages"][0]["content"]
    assert [part["image_url"]["detail"] for part in parts] == ["low", "high"]


def test_media_are_what_the_official_types_say():
    pdf = ContentItem(type=Type.PDF_BINARY, binary=PDF, filename="a.pdf")
    wav = ContentItem(type=Type.AUDIO_BINARY, binary=WAV)
    body = sent("OPENAI", user(pdf, wav))
    assert known_to(OPENAI, body) == body
    body = sent("ANTHROPIC", user(pdf))
    assert known_to(ANTHROPIC, body)["messages"] == body["messages"]
    [block] = body["messages"][0]["content"]
    assert block["title"] == "a.pdf"
    result = Message(role=Role.TOOL, tool_call_id="call_1", content=[pdf])
    stored = [ContentItem(type=Type.PDF_URL, content="s3://b/a.pdf")]
    stored += [ContentItem(type=Type.AUDIO_URL, content="s3://b/a.MP3")]
    asked = Message(role=Role.ASSISTANT, tool_calls=[call()])
    body = sent("BEDROCK", user(pdf, wav, *stored), asked, result)
    assert body["messages"][0]["content"][3]["audio"]["format"] == "mp3"
    shape = operation("Converse").input_shape.members["messages"]
    assert not problem(body["messages"], shape)


def test_google_is_sent_pdfs_by_their_media_type():
    pdf = ContentItem(type=Type.PDF_BINARY, binary=PDF)
    for name in ("GOOGLE_GEMINI", "GOOGLE_VERTEX"):
        [part] = sent(name, user(pdf))["messages"][0]["content"]
        assert part["image_url"]["url"].startswith("data:application/pdf;base64,")


def test_media_stay_out_of_places_that_take_none():
    pdf = ContentItem(type=Type.PDF_BINARY, binary=PDF)
    with pytest.raises(UnsupportedError, match="in a system message"):
        sent("ANTHROPIC", Message(role=Role.SYSTEM, content=[pdf]), user(pdf))
    wav = ContentItem(type=Type.AUDIO_BINARY, binary=WAV)
    asked = Message(role=Role.ASSISTANT, tool_calls=[call()])
    result = Message(role=Role.TOOL, tool_call_id="call_1", content=[wav])
    with pytest.raises(UnsupportedError, match="no audio in the result"):
        sent("BEDROCK", asked, result)


@pytest.mark.parametrize("name", ["OPENAI", "ANTHROPIC", "BEDROCK"])
def test_the_result_of_the_only_open_call_needs_no_id(name: str):
    asked = Message(role=Role.ASSISTANT, tool_calls=[call()])
    result = Message(role=Role.TOOL, content="2")
    body = str(sent(name, user(), asked, result))
    assert body.count("'call_1'") == 2
    for messages in ([result], [asked, result, result]):
        with pytest.raises(RequestError, match="no `tool_call_id`, and 0 calls"):
            sent(name, *messages)


def test_two_open_calls_need_ids():
    asked = Message(role=Role.ASSISTANT, tool_calls=[call(), call().model_copy(update={"id": "b"})])
    result = Message(role=Role.TOOL, content="2")
    with pytest.raises(RequestError, match=r"messages\.1: .* and 2 calls"):
        sent("OPENAI", asked, result)
    named = Message(role=Role.TOOL, content="2", tool_call_id="b")
    body = sent("OPENAI", asked, named, result)
    assert [message.get("tool_call_id") for message in body["messages"]] == [None, "b", "call_1"]


def test_unknown_fields_of_calls_are_not_sent_and_those_of_tools_are():
    tool = ToolDefinition.model_validate({"name": "add", "eager": True})
    tool = ToolDefinition.model_validate({**tool.model_dump(), "cache_control": MARK})
    asked = Message.model_validate(
        {"role": "assistant", "tool_calls": [{**call().model_dump(), "index": 0}]}
    )
    body = sent("OPENAI", asked, tools=[tool])
    function = {"name": "add", "eager": True}
    assert body["tools"] == [{"type": "function", "function": function, "cache_control": MARK}]
    assert "index" not in body["messages"][0]["tool_calls"][0]
    [block] = sent("ANTHROPIC", user(), tools=[tool])["tools"]
    assert (block["eager"], block["cache_control"]) == (True, MARK)
    with pytest.raises(UnsupportedError, match="no field 'eager'"):
        sent("BEDROCK", user(), tools=[tool])


def test_what_only_templates_read_is_sent_to_no_api_of_another_form():
    tool = {"name": "add", "return": {"type": "integer"}, "parameters": {"type": "object"}}
    marked = {"function": tool, "cache_control": MARK}
    assert "return" not in sent("ANTHROPIC", user(), tools=[marked])["tools"][0]
    spec, point = sent("BEDROCK", user(), tools=[marked])["toolConfig"]["tools"]
    assert spec["toolSpec"].keys() == {"name", "inputSchema"}
    assert point == {"cachePoint": {"type": "default"}}

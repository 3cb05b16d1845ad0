"""Bodies of the messages dialect, held against the official SDK's own types."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from anthropic.types import message_create_params
from pydantic import TypeAdapter

from oumi.backends.remote.dialects import anthropic
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import GuidedDecodingParams, InferenceConfig
from oumi.core.types import ContentItem, Conversation, Message, Role, Type
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.request import KeyMaker, Request
from tests.conftest import ask
from tests.remote.sdk_types import known_to
from tests.remote.talks import PNG, TOOL, call, picture_talk, settings, tool_talk
from tests.shapes import PRODUCT

ROW = find_provider("ANTHROPIC")
NEW, MIDDLE, OLD = "claude-opus-5-5", "claude-sonnet-4-5", "claude-opus-4-1-20250805"
SAMPLING = {"temperature", "top_p", "top_k"}
SCHEMA = GuidedDecodingParams(json=PRODUCT)

WHOLE = TypeAdapter(message_create_params.MessageCreateParamsNonStreaming)
STREAMED = TypeAdapter(message_create_params.MessageCreateParamsStreaming)


def body_of(conversation: Conversation, config: InferenceConfig, *, stream: bool = False) -> dict:
    anthropic.check(config)
    shared = anthropic.shared_body(config, ROW)
    return orjson.loads(anthropic.encode(Request(conversation, config), shared, stream=stream))


def messages_of(*messages: Message, model: str = NEW) -> list[dict[str, Any]]:
    return body_of(Conversation(messages=list(messages)), settings(model))["messages"]


@pytest.mark.parametrize(
    "generation",
    [
        {},
        {"stop_strings": ["a"], "max_new_tokens": 9},
        {"guided_decoding": SCHEMA},
        {"tool_choice": "required", "parallel_tool_calls": False},
        {"tool_choice": "none"},
        {"tool_choice": {"type": "function", "function": {"name": "add"}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [NEW, MIDDLE, OLD])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        {"cache_control": {"type": "ephemeral", "ttl": "1h"}, "metadata": {"user_id": "u"}},
        {"tools": [{"type": "web_search_20260209", "name": "web_search"}]},
    ],
    ids=str,
)
def test_the_official_sdk_takes_every_body(generation, stream, model, kwargs):
    for conversation in (tool_talk(), picture_talk(), marked_talk(), ask("Hi")):
        if not fits(conversation, model, generation, kwargs):
            continue
        body = body_of(conversation, settings(model, kwargs, **generation), stream=stream)
        # The types name no sampling settings, which older models still take.
        body = {name: value for name, value in body.items() if name not in SAMPLING}
        assert known_to(STREAMED if stream else WHOLE, body) == body


def fits(conversation: Conversation, model: str, generation: dict, kwargs: dict) -> bool:
    forced = generation.get("tool_choice", "none") != "none"
    by_tool = model == OLD and "guided_decoding" in generation
    if "tool_choice" in generation and not conversation.tools:
        return False
    if by_tool and (conversation.tools or "tools" in kwargs):
        return False
    return not ((forced or by_tool) and "thinking" in kwargs)


def marked_talk() -> Conversation:
    mark = {"type": "ephemeral"}
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s1"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 1}},
    ]
    return Conversation(
        messages=[
            Message(role=Role.SYSTEM, content="Be brief."),
            Message(role=Role.SYSTEM, content="Be kind.", cache_control=mark),
            Message(role=Role.USER, content="1+1?", cache_control=mark),
            Message(
                role=Role.ASSISTANT,
                content="Let me see.",
                tool_calls=[call()],
                content_blocks=blocks,
            ),
            Message(role=Role.TOOL, content="2", tool_call_id="call_1", cache_control=mark),
        ],
        tools=[TOOL],
    )


def test_a_conversation_as_the_api_has_it():
    body = body_of(tool_talk(), settings(NEW, max_new_tokens=7))
    image = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgowMDAwMDAwMA=="}
    assert body == {
        "model": NEW,
        "max_tokens": 7,
        "system": "Be brief.",
        "tools": [
            {
                "name": "add",
                "description": "Add.",
                "input_schema": {"type": "object", "properties": {}},
            },
            {"name": "get_weather", "input_schema": {"type": "object", "properties": {}}},
        ],
        "messages": [
            {"role": "user", "content": "1+1? 2+2?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "call_1", "name": "add", "input": {"a": 1}},
                    {"type": "tool_use", "id": "call_2", "name": "add", "input": {"a": 2}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "2"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "call_2",
                        "content": [{"type": "image", "source": image}],
                    },
                ],
            },
            {"role": "user", "content": "And?"},
        ],
    }


def test_system_messages_stay_where_they_stand():
    first, later = (Message(role=Role.SYSTEM, content=text) for text in ("Be brief.", "Be kind."))
    user = Message(role=Role.USER, content="Hi")
    body = body_of(Conversation(messages=[first, later, user]), settings(MIDDLE))
    assert body["system"] == [
        {"type": "text", "text": "Be brief."},
        {"type": "text", "text": "Be kind."},
    ]
    assert messages_of(first, user, later)[1] == {"role": "system", "content": "Be kind."}
    with pytest.raises(UnsupportedError, match="only at the beginning"):
        messages_of(first, user, later, model=MIDDLE)


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://example.org/a.png", {"type": "url", "url": "https://example.org/a.png"}),
        (
            "data:image/png;base64,iVBORw0KGgowMDAwMDAwMA==",
            {
                "type": "base64",
                "media_type": "image/png",
                "data": "iVBORw0KGgowMDAwMDAwMA==",
            },
        ),
    ],
)
def test_images_by_url(url: str, source: dict):
    item = ContentItem(type=Type.IMAGE_URL, content=url)
    [message] = messages_of(Message(role=Role.USER, content=[item]))
    assert message["content"] == [{"type": "image", "source": source}]


def test_marks_for_the_cache():
    body = body_of(marked_talk(), settings(NEW))
    mark = {"type": "ephemeral"}
    assert body["system"][-1] == {"type": "text", "text": "Be kind.", "cache_control": mark}
    assert body["messages"][0]["content"][0]["cache_control"] == mark
    assert body["messages"][2]["content"][0]["cache_control"] == mark
    assert str(body).count("cache_control") == 3


def test_a_mark_does_not_change_the_key_and_signed_thoughts_do():
    keys = KeyMaker(settings(NEW), {})
    plain = Message(role=Role.USER, content=[ContentItem(type=Type.TEXT, content="Hi")])
    marked = plain.model_copy(update={"cache_control": {"type": "ephemeral"}})
    assert keys.key(Conversation(messages=[plain])) == keys.key(Conversation(messages=[marked]))
    said = Message(role=Role.ASSISTANT, content="Hi")
    signed = said.model_copy(update={"content_blocks": [{"type": "text", "text": "Hi"}]})
    assert keys.key(Conversation(messages=[said])) != keys.key(Conversation(messages=[signed]))


def test_signed_thoughts_go_back_as_they_came():
    talk = Conversation.from_json(marked_talk().to_json())
    assert body_of(talk, settings(NEW))["messages"][1]["content"] == talk[3].content_blocks


@pytest.mark.parametrize(
    "changed", [{"content": "Else."}, {"tool_calls": [call(2)]}, {"content": None}]
)
def test_but_not_for_an_answer_that_was_changed(changed: dict):
    message = marked_talk()[3].model_copy(update=changed)
    [sent] = messages_of(message)
    assert {block["type"] for block in sent["content"]} <= {"text", "tool_use"}


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("auto", True, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        (
            {"type": "function", "function": {"name": "add"}},
            True,
            {"type": "tool", "name": "add"},
        ),
    ],
)
def test_tool_choice(choice: object, parallel: bool, sent: dict | None):
    config = settings(NEW, tool_choice=choice, parallel_tool_calls=parallel)
    assert body_of(tool_talk(), config).get("tool_choice") == sent


def test_what_a_row_cannot_say():
    with pytest.raises(RequestError, match="no tools"):
        body_of(ask("Hi"), settings(NEW, tool_choice="required"))
    with pytest.raises(RequestError, match="expected auto"):
        body_of(tool_talk(), settings(NEW, tool_choice="maybe"))
    with pytest.raises(UnsupportedError, match="'ann' into the text"):
        messages_of(Message(role=Role.USER, content="Hi", name="ann"))
    broken = call().model_copy(
        update={"function": call().function.model_copy(update={"arguments": "[1]"})}
    )
    with pytest.raises(RequestError, match="call_1 of add"):
        messages_of(Message(role=Role.ASSISTANT, tool_calls=[broken]))
    item = ContentItem(type=Type.IMAGE_BINARY, binary=PNG)
    with pytest.raises(UnsupportedError, match="no images in a system"):
        messages_of(Message(role=Role.SYSTEM, content=[item]))

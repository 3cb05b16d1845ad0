"""Bodies of the Converse dialect, held against botocore's model of the service."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from oumi.backends.remote.dialects import bedrock
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import GuidedDecodingParams, InferenceConfig
from oumi.core.types import ContentItem, Conversation, Message, Role, Type
from oumi.errors import ConfigError, UnsupportedError
from oumi.runner.request import Request
from tests.conftest import ask
from tests.remote.sdk_types import operation, problem
from tests.remote.talks import PNG, TOOL, call, picture_talk, settings, tool_talk
from tests.shapes import PRODUCT

ROW = find_provider("BEDROCK")
CLAUDE, NEW = "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "global.anthropic.claude-opus-5"
NOVA = "amazon.nova-pro-v1:0"
SCHEMA = GuidedDecodingParams(json=PRODUCT)


def body_of(conversation: Conversation, config: InferenceConfig) -> dict:
    bedrock.check(config)
    shared = bedrock.shared_body(config, ROW)
    return orjson.loads(bedrock.encode(Request(conversation, config), shared))


def messages_of(*messages: Message, model: str = NEW) -> list[dict[str, Any]]:
    return body_of(Conversation(messages=list(messages)), settings(model))["messages"]


def marked_talk() -> Conversation:
    mark = {"type": "ephemeral", "ttl": "1h"}
    reasoning = {"reasoningText": {"text": "Hm.", "signature": "s1"}}
    blocks = [
        {"reasoningContent": reasoning},
        {"reasoningContent": {"redactedContent": "eA=="}},
        {"text": "Let me see."},
        {"toolUse": {"toolUseId": "call_1", "name": "add", "input": {"a": 1}}},
    ]
    return Conversation(
        messages=[
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


@pytest.mark.parametrize(
    "generation",
    [
        {},
        {"stop_strings": ["a"], "max_new_tokens": 9},
        {"top_p": 0.9},
        {"guided_decoding": SCHEMA},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "add"}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("model", [CLAUDE, NOVA])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"reasoning_effort": "low", "performanceConfig": {"latency": "optimized"}},
        {"guardrailConfig": {"guardrailIdentifier": "abc123", "guardrailVersion": "1"}},
    ],
    ids=str,
)
def test_the_model_of_the_service_takes_every_body(generation, model, kwargs):
    for conversation in (tool_talk(), picture_talk(), marked_talk(), ask("Hi")):
        if "tool_choice" in generation and not conversation.tools:
            continue
        if model == NOVA and "guided_decoding" in generation and conversation.tools:
            continue
        body = body_of(conversation, settings(model, kwargs, **generation))
        assert problem({"modelId": model, **body}, operation("Converse").input_shape) == ""


def test_the_model_of_the_service_refuses_what_it_does_not_know():
    wrong = {"role": "user", "content": [{"txt": "Hi"}]}
    body = {"modelId": NOVA, "messages": [wrong]}
    assert "txt" in problem(body, operation("Converse").input_shape)


def test_a_conversation_as_converse_has_it():
    body = body_of(tool_talk(), settings(NOVA, max_new_tokens=7))
    image = {"format": "png", "source": {"bytes": "iVBORw0KGgowMDAwMDAwMA=="}}
    assert body == {
        "inferenceConfig": {"maxTokens": 7, "temperature": 0.0},
        "system": [{"text": "Be brief."}],
        "toolConfig": {
            "tools": [
                {
                    "toolSpec": {
                        "name": "add",
                        "description": "Add.",
                        "inputSchema": {"json": {"type": "object", "properties": {}}},
                    }
                },
                {
                    "toolSpec": {
                        "name": "get_weather",
                        "inputSchema": {"json": {"type": "object", "properties": {}}},
                    }
                },
            ]
        },
        "messages": [
            {"role": "user", "content": [{"text": "1+1? 2+2?"}]},
            {
                "role": "assistant",
                "content": [
                    {"text": "Let me see."},
                    {"toolUse": {"toolUseId": "call_1", "name": "add", "input": {"a": 1}}},
                    {"toolUse": {"toolUseId": "call_2", "name": "add", "input": {"a": 2}}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "call_1", "content": [{"text": "2"}]}},
                    {"toolResult": {"toolUseId": "call_2", "content": [{"image": image}]}},
                ],
            },
            {"role": "user", "content": [{"text": "And?"}]},
        ],
    }


def test_the_model_is_in_the_path():
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab"
    assert bedrock.path(settings(CLAUDE)) == (
        "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    )
    assert bedrock.path(settings(arn), stream=True) == (
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fab"
        "/converse-stream"
    )


def test_fields_go_to_converse_or_to_the_model():
    kwargs = {
        "serviceTier": {"type": "flex"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "additionalModelRequestFields": {"top_k": 5},
    }
    body = body_of(ask("Hi"), settings(CLAUDE, kwargs, max_new_tokens=2000))
    assert body["serviceTier"] == {"type": "flex"}
    assert body["additionalModelRequestFields"] == {
        "top_k": 5,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    assert body["inferenceConfig"] == {"maxTokens": 2000}, "who thinks chooses its temperature"


@pytest.mark.parametrize(
    ("model", "generation", "sent"),
    [
        (NOVA, {}, {"temperature": 0.0}),
        (NOVA, {"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "topP": 0.9}),
        (CLAUDE, {"top_p": 0.9}, {"topP": 0.9}),
        (NEW, {}, {}),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/ab", {}, {}),
        (
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab",
            {"temperature": 0.0},
            {"temperature": 0.0},
        ),
    ],
)
def test_sampling(model: str, generation: dict, sent: dict):
    body = body_of(ask("Hi"), settings(model, **generation, max_new_tokens=5))
    assert body["inferenceConfig"] == {"maxTokens": 5, **sent}


def test_a_schema_in_its_native_form_and_as_a_tool():
    native = body_of(ask("Hi"), settings(CLAUDE, guided_decoding=SCHEMA))["outputConfig"]
    schema = native["textFormat"]["structure"]["jsonSchema"]["schema"]
    assert orjson.loads(schema)["required"] == ["name", "price"]
    forced = body_of(ask("Hi"), settings(NOVA, guided_decoding=SCHEMA))["toolConfig"]
    assert forced["toolChoice"] == {"tool": {"name": "answer"}}
    with pytest.raises(UnsupportedError, match="cannot have tools"):
        body_of(tool_talk(), settings(NOVA, guided_decoding=SCHEMA))


def test_tool_choice_none_leaves_the_tools_out():
    config = settings(NOVA, tool_choice="none")
    talk = ask("Hi", tools=[TOOL])
    assert "toolConfig" not in body_of(talk, config)
    with pytest.raises(UnsupportedError, match="called before"):
        body_of(tool_talk(), config)


def test_images_in_s3_and_on_the_web():
    item = ContentItem(type=Type.IMAGE_URL, content="s3://bucket/a.JPG")
    [message] = messages_of(Message(role=Role.USER, content=[item]))
    location = {"s3Location": {"uri": "s3://bucket/a.JPG"}}
    assert message["content"] == [{"image": {"format": "jpeg", "source": location}}]
    item = ContentItem(type=Type.IMAGE_URL, content="https://example.org/a.png")
    with pytest.raises(UnsupportedError, match="from the web"):
        messages_of(Message(role=Role.USER, content=[item]))
    item = ContentItem(type=Type.IMAGE_BINARY, binary=PNG)
    with pytest.raises(UnsupportedError, match="no images in a system"):
        messages_of(Message(role=Role.SYSTEM, content=[item]))


def test_marks_for_the_cache_and_signed_thoughts():
    talk = Conversation.from_json(marked_talk().to_json())
    body = body_of(talk, settings(NEW))
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert body["system"] == [{"text": "Be kind."}, point]
    assert body["messages"][0]["content"][-1] == point
    assert body["messages"][1]["content"] == talk[2].content_blocks
    assert body["messages"][2]["content"][-1] == point


def test_blocks_of_another_api_are_said_in_words():
    blocks = [{"type": "text", "text": "Let me see."}]
    message = marked_talk()[2].model_copy(update={"content_blocks": blocks})
    [sent] = messages_of(message)
    assert [next(iter(block)) for block in sent["content"]] == ["text", "toolUse"]


@pytest.mark.parametrize(
    ("model", "kwargs", "generation", "error", "reason"),
    [
        (NOVA, {"toolConfig": {}}, {}, ConfigError, "use the tools of a conversation"),
        (NEW, {}, {"temperature": 0.5}, UnsupportedError, r"does not take generation\.temp"),
        (CLAUDE, {}, {"temperature": 0.5, "top_p": 0.5}, UnsupportedError, "not both"),
        (
            CLAUDE,
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            {},
            ConfigError,
            "less than",
        ),
    ],
)
def test_settings_that_cannot_be(model, kwargs, generation, error, reason):
    with pytest.raises(error, match=reason):
        bedrock.check(settings(model, kwargs, **generation))

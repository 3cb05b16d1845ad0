"""Bodies of the chat API as Google's own requests, and its replies as those of the chat API."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.genai import types

from oumi.backends.remote.dialects import chat
from oumi.backends.remote.errors import BadReplyError
from oumi.batch.api.providers.gemini_reply import to_chat_reply
from oumi.batch.api.providers.gemini_request import to_generate_content
from oumi.core.configs import InferenceConfig
from oumi.errors import RequestError, UnsupportedError

PIXEL = base64.b64encode(b"a pixel").decode()
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
    "extra_content": {"google": {"thought_signature": "sig"}},
}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells it.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def ask(*messages: dict[str, Any], model: str = "gemini-3-pro", **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [*messages], **fields}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def check_with_sdk(request: dict[str, Any]) -> None:
    """The types of the official SDK know each field, in each place."""
    for content in request["contents"]:
        types.Content.model_validate(content)
    for tool in request.get("tools", ()):
        types.Tool.model_validate(tool)
    if "toolConfig" in request:
        types.ToolConfig.model_validate(request["toolConfig"])
    types.GenerationConfig.model_validate(request.get("generationConfig", {}))


def test_settings():
    request = to_generate_content(
        ask(
            {"role": "system", "content": "Be brief."},
            user("Hi"),
            max_tokens=9,
            temperature=0.5,
            top_p=0.9,
            seed=3,
            frequency_penalty=0.1,
            presence_penalty=0.2,
            stop="END",
            reasoning_effort="low",
            stream_options={"include_usage": True},
        )
    )
    check_with_sdk(request)
    assert request == {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "maxOutputTokens": 9,
            "temperature": 0.5,
            "topP": 0.9,
            "seed": 3,
            "frequencyPenalty": 0.1,
            "presencePenalty": 0.2,
            "stopSequences": ["END"],
            "thinkingConfig": {"thinkingLevel": "low"},
        },
    }


def test_media():
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": f"data:application/pdf;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": "https://a.test/b.jpg?x=1"}},
        {"type": "input_audio", "input_audio": {"data": PIXEL, "format": "mp3"}},
    ]
    request = to_generate_content(ask(user(parts)))
    check_with_sdk(request)
    kinds = [p.get("inlineData", p.get("fileData", {})).get("mimeType") for p in _parts(request)]
    assert kinds == [None, "image/png", "application/pdf", "image/jpeg", "audio/mp3"]
    with pytest.raises(RequestError, match="does not tell what it is"):
        to_generate_content(
            ask(user([{"type": "image_url", "image_url": {"url": "https://a.test/b"}}]))
        )


def test_tools_and_their_results():
    other = {**CALL, "id": "c2", "extra_content": None}
    request = to_generate_content(
        ask(
            user("And now?"),
            {"role": "assistant", "content": None, "tool_calls": [CALL, other]},
            {"role": "tool", "tool_call_id": "c1", "content": '{"sky":"blue"}'},
            {"role": "tool", "tool_call_id": "c2", "content": "rain"},
            tools=[TOOL],
            tool_choice={"type": "function", "function": {"name": "weather"}},
        )
    )
    check_with_sdk(request)
    _, calls, results = request["contents"]
    call = {"functionCall": {"name": "weather", "args": {"city": "Rome"}}}
    assert calls == {"role": "model", "parts": [call | {"thoughtSignature": "sig"}, call]}
    assert results == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "weather", "response": {"sky": "blue"}}},
            {"functionResponse": {"name": "weather", "response": {"output": "rain"}}},
        ],
    }
    declared = TOOL["function"]
    assert request["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "weather",
                    "description": "Tells it.",
                    "parametersJsonSchema": declared["parameters"],
                }
            ]
        }
    ]
    choice = {"mode": "ANY", "allowedFunctionNames": ["weather"]}
    assert request["toolConfig"] == {"functionCallingConfig": choice}


def test_a_schema():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    request = to_generate_content(ask(user("Hi"), response_format=form))
    check_with_sdk(request)
    assert request["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": schema,
    }


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-2.5-flash", "medium", {"thinkingBudget": 8192}),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-3.1-pro", "minimal", {"thinkingLevel": "low"}),
        ("gemini-3.1-flash-lite", "minimal", {"thinkingLevel": "minimal"}),
    ],
)
def test_how_much_it_thinks(model: str, effort: str, thinking: dict[str, Any]):
    """https://ai.google.dev/gemini-api/docs/openai#thinking"""
    request = to_generate_content(ask(user("Hi"), model=model, reasoning_effort=effort))
    assert request["generationConfig"] == {"thinkingConfig": thinking}


def test_fields_of_googles_own():
    extra = {"google": {"thinking_config": {"thinking_budget": 5}, "cached_content": "c/1"}}
    request = to_generate_content(ask(user("Hi"), extra_body=extra))
    check_with_sdk(request)
    assert request["cachedContent"] == "c/1"
    assert request["generationConfig"] == {"thinkingConfig": {"thinking_budget": 5}}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"service_tier": "flex"}, "service_tier"),
        ({"extra_body": {"google": {"other": 1}}}, r"extra_body\.google\.other"),
        ({"reasoning_effort": "none"}, "always think"),
    ],
)
def test_what_has_no_place_is_refused(fields: dict[str, Any], named: str):
    with pytest.raises(UnsupportedError, match=named):
        to_generate_content(ask(user("Hi"), **fields))


def test_a_system_message_further_on_is_refused():
    with pytest.raises(RequestError, match="before all others"):
        to_generate_content(ask(user("Hi"), {"role": "system", "content": "Be brief."}))


def decode(**reply: Any):
    types.GenerateContentResponse.model_validate(reply)
    return chat.decode(to_chat_reply(reply), InferenceConfig())


def test_a_reply_with_thoughts_and_a_call():
    parts = [
        {"text": "Hm", "thought": True},
        {"text": "Let me look."},
        {
            "functionCall": {"name": "weather", "args": {"city": "Rome"}},
            "thoughtSignature": "c2ln",
        },
    ]
    completion = decode(
        candidates=[{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}],
        usageMetadata={
            "promptTokenCount": 10,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 7,
            "cachedContentTokenCount": 4,
            "totalTokenCount": 22,
        },
    )
    [call] = completion.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "weather",
        {"city": "Rome"},
    )
    assert call.extra_content == {"google": {"thought_signature": "c2ln"}}
    assert (completion.message.content, completion.message.reasoning_content) == (
        "Let me look.",
        "Hm",
    )
    assert completion.finish_reason == "tool_calls"
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (10, 12)
    assert (usage.reasoning_tokens, usage.cached_tokens) == (7, 4)


@pytest.mark.parametrize(
    ("reason", "ours"), [("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("STOP", "stop")]
)
def test_how_an_answer_ended(reason: str, ours: str):
    content = {"role": "model", "parts": [{"text": "a"}]}
    assert decode(candidates=[{"content": content, "finishReason": reason}]).finish_reason == ours


def test_a_prompt_that_was_refused():
    completion = decode(promptFeedback={"blockReason": "SAFETY"})
    assert (completion.message.content, completion.finish_reason) == ("", "content_filter")


def test_nothing_is_no_answer():
    with pytest.raises(BadReplyError):
        to_chat_reply({"usageMetadata": {}})


def _parts(request: dict[str, Any]) -> list[dict[str, Any]]:
    return request["contents"][0]["parts"]

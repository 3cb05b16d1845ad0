"""Bodies of the Responses API, held against the official SDK's own types."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from openai.types.responses import response_create_params
from pydantic import TypeAdapter

from oumi.backends.provider import Provider
from oumi.backends.remote.dialects import anthropic, responses
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import GuidedDecodingParams, InferenceConfig
from oumi.core.types import ContentItem, Conversation, FunctionCall, Message, Role, ToolCall, Type
from oumi.errors import ConfigError, RequestError, UnsupportedError
from oumi.runner.request import Request
from tests.conftest import ask
from tests.remote.rows import RESPONSES_ROWS, row_id
from tests.remote.sdk_types import known_to
from tests.remote.talks import PNG, SCHEMA, TOOL, call, picture_talk, settings, tool_talk
from tests.remote.test_responses_replies import CALL, SEARCH, TEXT, THOUGHT, decode

ACCEPTED = TypeAdapter(response_create_params.ResponseCreateParams)
OPENAI = find_provider("OPENAI")
BEYOND_OPENAI = {"provider"}  # OpenRouter
ENCRYPTED = ["reasoning.encrypted_content"]


def encode(
    conversation: Conversation,
    config: InferenceConfig,
    row: Provider = OPENAI,
    *,
    stream: bool = False,
) -> dict[str, Any]:
    """The body, which the SDK takes as a whole."""
    shared = responses.shared_body(config, row)
    body = orjson.loads(responses.encode(Request(conversation, config), shared, stream=stream))
    common = {name: value for name, value in body.items() if name not in BEYOND_OPENAI}
    assert known_to(ACCEPTED, common) == common, "no field that the SDK does not know"
    return body


def talk(*messages: Message, **fields: Any) -> Conversation:
    return Conversation(messages=[Message(role=Role.USER, content="1+1?"), *messages], **fields)


@pytest.mark.parametrize(
    "generation",
    [
        {},
        {"temperature": 0.7, "top_p": 0.9},
        {"logprobs": 5},
        {"guided_decoding": GuidedDecodingParams(json=SCHEMA)},
        {"guided_decoding": GuidedDecodingParams(choice=["a", "b"])},
        {"tool_choice": "required", "parallel_tool_calls": False},
        {"tool_choice": {"type": "function", "function": {"name": "add"}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-5-pro"])
@pytest.mark.parametrize("row", RESPONSES_ROWS, ids=row_id)
def test_the_official_sdk_takes_every_body(
    row: Provider, generation: Any, stream: bool, model: str
):
    kept = talk(decode(THOUGHT, SEARCH, TEXT, CALL).message, tools=[TOOL])
    for conversation in (tool_talk(), picture_talk(), ask("Hi"), kept):
        if "tool_choice" in generation and not conversation.tools:
            continue
        encode(conversation, settings(model, **generation), row, stream=stream)


def test_what_stands_in_a_plain_body():
    assert encode(ask("Hi"), settings("gpt-4o-mini", max_new_tokens=9, temperature=0.5)) == {
        "model": "gpt-4o-mini",
        "input": [{"role": "user", "content": "Hi"}],
        "max_output_tokens": 9,
        "temperature": 0.5,
        "store": False,
    }
    body = encode(ask("Hi"), settings("gpt-5-pro"))
    assert body.keys() == {"model", "input", "max_output_tokens", "store", "include"}
    assert body["include"] == ENCRYPTED


def test_a_talk_with_tools():
    body = encode(tool_talk(), settings("m"))
    assert body["input"][2:6] == [
        {"role": "assistant", "content": "Let me see."},
        *(
            {
                "type": "function_call",
                "call_id": f"call_{number}",
                "name": "add",
                "arguments": f'{{"a":{number}}}',
            }
            for number in (1, 2)
        ),
        {"type": "function_call_output", "call_id": "call_1", "output": "2"},
    ]
    [image] = body["input"][6]["output"]
    assert image["type"] == "input_image"
    assert image["image_url"].startswith("data:image/png;base64,iVBOR")
    [add, _] = body["tools"]
    assert (add["name"], add["strict"]) == ("add", False)


def test_images():
    items = [
        ContentItem(type=Type.IMAGE_URL, content="https://example.org/a.png"),
        ContentItem(type=Type.IMAGE_BINARY, binary=PNG),
    ]
    parts = encode(Conversation(messages=[Message(role=Role.USER, content=items)]), settings("m"))
    [web, data] = parts["input"][0]["content"]
    assert web == {
        "type": "input_image",
        "image_url": "https://example.org/a.png",
        "detail": "auto",
    }
    assert data["image_url"].startswith("data:image/png")


def test_pdfs_detail_and_developer():
    items = [
        ContentItem(type=Type.IMAGE_URL, content="https://example.org/a.png", detail="low"),
        ContentItem(type=Type.PDF_BINARY, binary=b"%PDF-1.7", filename="a.pdf"),
    ]
    messages = [
        Message(role=Role.DEVELOPER, content="Be kind."),
        Message(role=Role.USER, content=items),
        Message(role=Role.ASSISTANT, tool_calls=[call()]),
        Message(role=Role.TOOL, content=[items[1]]),
    ]
    system, asked, called, result = encode(Conversation(messages=messages), settings("m"))["input"]
    pdf = {"type": "input_file", "filename": "a.pdf"}
    pdf["file_data"] = "data:application/pdf;base64,JVBERi0xLjc="
    assert system["role"] == "developer"
    assert [part.get("detail") for part in asked["content"]] == ["low", None]
    assert asked["content"][1] == pdf
    assert (result["call_id"], result["output"]) == (called["call_id"], [pdf])
    audio = ContentItem(type=Type.AUDIO_BINARY, binary=b"RIFF\0\0\0\0WAVE")
    with pytest.raises(UnsupportedError, match=r"no audio: set remote_params\.api to chat"):
        encode(talk(Message(role=Role.USER, content=[audio])), settings("m"))


def test_a_schema():
    form = encode(ask("Hi"), settings("m", guided_decoding=GuidedDecodingParams(json=SCHEMA)))
    assert form["text"] == {
        "format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}
    }


@pytest.mark.parametrize(
    "kwargs",
    [
        {"reasoning": {"effort": "high", "summary": "auto"}, "text": {"verbosity": "low"}},
        {"reasoning_effort": "high", "reasoning": {"summary": "auto"}, "verbosity": "low"},
    ],
)
def test_reasoning_and_verbosity_also_under_the_names_of_the_chat_api(kwargs: dict[str, Any]):
    guided = GuidedDecodingParams(json=SCHEMA)
    body = encode(ask("Hi"), settings("gpt-5", kwargs, guided_decoding=guided))
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["text"]["verbosity"] == "low"
    assert body["text"]["format"]["schema"] == SCHEMA
    assert not body.keys() & {"reasoning_effort", "verbosity"}


@pytest.mark.parametrize(
    ("model", "kwargs", "generation", "include"),
    [
        ("gpt-4o", {}, {}, None),
        ("gpt-5-chat-latest", {}, {}, None),
        ("o3", {}, {}, ENCRYPTED),
        ("o3", {"include": []}, {}, None),
        ("my-deployment", {"reasoning_effort": "low"}, {}, ENCRYPTED),
        ("gpt-4o", {}, {"logprobs": 1}, ["message.output_text.logprobs"]),
        (
            "gpt-4o",
            {"include": ["web_search_call.action.sources"]},
            {"logprobs": 1},
            ["web_search_call.action.sources", "message.output_text.logprobs"],
        ),
    ],
)
def test_what_a_reply_has_to_include(
    model: str, kwargs: dict[str, Any], generation: dict[str, Any], include: list[str] | None
):
    assert encode(ask("Hi"), settings(model, kwargs, **generation)).get("include") == include


def test_tools_of_the_provider_stand_beside_those_of_the_conversation():
    config = settings("m", {"tools": [{"type": "web_search"}]}, tool_choice="required")
    assert encode(ask("Hi"), config)["tools"] == [{"type": "web_search"}]
    both = encode(tool_talk(), config)["tools"]
    assert [tool["type"] for tool in both] == ["web_search", "function", "function"]
    assert config.model.model_kwargs == {"tools": [{"type": "web_search"}]}


def test_thoughts_go_back_as_they_came():
    answer = decode({**THOUGHT, "status": None}, TEXT, CALL).message
    result = Message(role=Role.TOOL, content="2", tool_call_id="call_1")
    sent = encode(talk(answer, result, tools=[TOOL]), settings("gpt-5-pro"))["input"]
    assert sent[1:4] == [THOUGHT, TEXT, CALL]
    assert sent[4]["type"] == "function_call_output"


@pytest.mark.parametrize("change", ["text", "calls", "thought that cannot be read again"])
def test_items_that_do_not_hold_any_more_are_not_sent(change: str):
    answer = decode(THOUGHT, TEXT, CALL).message
    call = ToolCall(id="call_2", function=FunctionCall(name="add", arguments="{}"))
    bare = {"id": "rs_1", "type": "reasoning", "summary": []}
    update: dict[str, Any] = {
        "text": {"content": "Servus"},
        "calls": {"tool_calls": [call]},
    }.get(change, {"content_blocks": [bare, TEXT, CALL]})
    answer = answer.model_copy(update=update)
    result = Message(role=Role.TOOL, content="2", tool_call_id=answer.tool_calls[0].id)
    sent = encode(talk(answer, result, tools=[TOOL]), settings("gpt-5-pro"))["input"]
    assert sent[1] == {"role": "assistant", "content": answer.content}
    assert sent[2].keys() == {"type", "call_id", "name", "arguments"}


def test_thoughts_of_another_api_are_not_sent():
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "a"},
    ]
    answer = Message(role=Role.ASSISTANT, content="a", content_blocks=blocks)
    sent = encode(talk(answer), settings("m"))["input"]
    assert sent[1] == {"role": "assistant", "content": "a"}
    back = decode(THOUGHT, TEXT).message
    body = anthropic.encode(Request(talk(back), settings("claude-opus-4-5")), {})
    assert orjson.loads(body)["messages"][1]["content"] == "Grüß Gott"


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"input": "a"}, "use the conversation"),
        ({"instructions": "a"}, "use a system message"),
        ({"max_output_tokens": 3}, r"use generation\.max_new_tokens"),
        ({"background": True}, "use a batch job"),
        ({"text": {"format": {"type": "text"}}}, r"use generation\.guided_decoding"),
        ({"reasoning": "high"}, "expected an object, not 'high'"),
        ({"tools": "web_search"}, "expected a list"),
    ],
)
def test_fields_that_are_not_the_users_to_set(kwargs: dict[str, Any], reason: str):
    with pytest.raises(ConfigError, match=reason):
        responses.check(settings("m", kwargs))


def test_what_the_api_does_not_take():
    named = Message(role=Role.USER, content="Hi", name="ann")
    with pytest.raises(UnsupportedError, match="no names of speakers"):
        encode(talk(named), settings("m"))
    picture = Message(role=Role.ASSISTANT, content=picture_talk().messages[0].content)
    with pytest.raises(UnsupportedError, match="no images in a message of the assistant"):
        encode(talk(picture), settings("m"))
    with pytest.raises(RequestError, match="no tools"):
        encode(ask("Hi"), settings("m", tool_choice="required"))
    with pytest.raises(UnsupportedError, match=r"gpt-5-pro does not take generation\.temp"):
        responses.check(settings("gpt-5-pro", temperature=0.3))

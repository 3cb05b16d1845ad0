"""Bodies of the chat dialect, held against the official SDK's own types."""

from __future__ import annotations

import orjson
import pytest
from openai.types.chat import completion_create_params
from pydantic import BaseModel, TypeAdapter

from oumi.backends.provider import Provider
from oumi.backends.remote.dialects import chat
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.types import (
    ContentItem,
    Conversation,
    FunctionCall,
    Message,
    Role,
    ToolCall,
    ToolDefinition,
    Type,
)
from oumi.errors import ConfigError, InputError, RequestError, UnsupportedError
from oumi.runner.request import Request
from tests.conftest import ask

OPENAI = find_provider("OPENAI")
VLLM = find_provider("REMOTE_VLLM")
SGLANG = find_provider("SGLANG")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8
TOOL = ToolDefinition.model_validate(
    {"name": "add", "description": "Add.", "parameters": {"type": "object", "properties": {}}}
)

ACCEPTED = TypeAdapter(completion_create_params.CompletionCreateParams)


class Product(BaseModel):
    name: str
    price: float


def config_of(model: str, **generation: object) -> InferenceConfig:
    return InferenceConfig(
        model=ModelParams(model_name=model), generation=GenerationParams(**generation)
    )


def body_of(
    conversation: Conversation,
    provider: Provider = OPENAI,
    *,
    model: str = "gpt-4o-mini",
    stream: bool = False,
    **generation: object,
) -> dict:
    config = config_of(model, **generation)
    return orjson.loads(
        chat.encode(
            Request(conversation, config), chat.shared_body(config, provider), stream=stream
        )
    )


def tool_talk() -> Conversation:
    call = ToolCall(id="call_1", function=FunctionCall(name="add", arguments={"a": 1}))
    return Conversation(
        messages=[
            Message(role=Role.SYSTEM, content="Be brief."),
            Message(role=Role.USER, content="1+1?", name="ann"),
            Message(role=Role.ASSISTANT, tool_calls=[call]),
            Message(role=Role.TOOL, content="2", tool_call_id="call_1"),
        ],
        tools=[TOOL],
    )


def picture() -> Conversation:
    items = [
        ContentItem(type=Type.TEXT, content="What is it?"),
        ContentItem(type=Type.IMAGE_URL, content="https://example.org/a.png"),
        ContentItem(type=Type.IMAGE_BINARY, binary=PNG),
    ]
    return Conversation(messages=[Message(role=Role.USER, content=items)])


@pytest.mark.parametrize(
    "generation",
    [
        {},
        {"temperature": 0.7, "top_p": 0.9, "seed": 3, "stop_strings": ["a"]},
        {"frequency_penalty": 1, "presence_penalty": -1, "logit_bias": {"50256": -100}},
        {"logprobs": 5},
        {"guided_decoding": GuidedDecodingParams(json=Product)},
        {"tool_choice": "required", "parallel_tool_calls": False},
        {"tool_choice": {"type": "function", "function": {"name": "add"}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["gpt-4o-mini", "o3-mini"])
def test_the_official_sdk_takes_every_body(generation: dict, stream: bool, model: str):
    for conversation in (tool_talk(), picture(), ask("Hi")):
        if "tool_choice" in generation and not conversation.tools:
            continue
        body = body_of(conversation, model=model, stream=stream, **generation)
        known = ACCEPTED.validate_python(body)
        assert known.keys() == body.keys(), "no field that the SDK does not know"


def test_images_go_as_data():
    [text, image] = body_of(
        Conversation(
            messages=[
                Message(
                    role=Role.USER,
                    content=[
                        ContentItem(type=Type.TEXT, content="x"),
                        ContentItem(type=Type.IMAGE_BINARY, binary=PNG),
                    ],
                )
            ]
        )
    )["messages"][0]["content"]
    assert text == {"type": "text", "text": "x"}
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (ContentItem(type=Type.IMAGE_PATH, content="/none.png"), "/none.png: the file was not"),
        (ContentItem(type=Type.IMAGE_BINARY, binary=b"text"), "not a PNG"),
    ],
)
def test_an_image_that_is_none_is_an_error(item: ContentItem, reason: str):
    with pytest.raises(InputError, match=reason):
        body_of(Conversation(messages=[Message(role=Role.USER, content=[item])]))


def test_reasoning_models_take_other_fields():
    body = body_of(ask("Hi"), model="o3-mini", max_new_tokens=9)
    assert body["max_completion_tokens"] == 9
    assert body.keys() == {"model", "messages", "max_completion_tokens"}
    assert "temperature" in body_of(ask("Hi"), model="gpt-5-chat-latest")
    with pytest.raises(UnsupportedError, match=r"o3-mini does not take generation\.temp"):
        chat.check(config_of("o3-mini", temperature=0.3))
    chat.check(config_of("o3-mini", temperature=1.0))


@pytest.mark.parametrize(
    "setting",
    [{"temperature": 0.0}, {"frequency_penalty": 1.0}, {"logprobs": 0}, {"stop_strings": ["a"]}],
    ids=str,
)
def test_nothing_is_dropped_for_a_reasoning_model(setting: dict):
    with pytest.raises(UnsupportedError, match=next(iter(setting))):
        chat.check(config_of("o3-mini", **setting))


def test_fields_that_are_not_the_users_to_set():
    with pytest.raises(ConfigError, match=r"model_kwargs\.n: the engine"):
        chat.check(InferenceConfig(model=ModelParams(model_name="m", model_kwargs={"n": 2})))


def test_old_names_of_constraints_are_refused():
    model = ModelParams(model_name="m", model_kwargs={"guided_json": {}})
    with pytest.raises(ConfigError, match=r"use generation\.guided_decoding"):
        chat.check(InferenceConfig(model=model))


def test_vllm_and_sglang_take_their_own_fields():
    sampler = {"top_k": 5, "min_p": 0.1, "stop_token_ids": [2], "skip_special_tokens": False}
    for provider in (VLLM, SGLANG):
        body = body_of(ask("Hi"), provider, model="m", **sampler)
        assert {name: body[name] for name in sampler} == sampler


@pytest.mark.parametrize(
    ("form", "vllm", "sglang"),
    [
        (
            {"regex": "a+"},
            {"structured_outputs": {"regex": "a+"}},
            {"regex": "a+"},
        ),
        (
            {"choice": ["a", 'b"']},
            {"structured_outputs": {"choice": ["a", 'b"']}},
            {"ebnf": 'root ::= "a" | "b\\""'},
        ),
        (
            {"grammar": "g"},
            {"structured_outputs": {"grammar": "g"}},
            {"ebnf": "g"},
        ),
    ],
)
def test_what_an_answer_has_to_look_like(form: dict, vllm: dict, sglang: dict):
    guided = GuidedDecodingParams(**form)
    assert body_of(ask("Hi"), VLLM, model="m", guided_decoding=guided).items() >= vllm.items()
    assert body_of(ask("Hi"), SGLANG, model="m", guided_decoding=guided).items() >= sglang.items()


def test_strict_is_asked_for_where_the_schema_meets_its_rules():
    strict = {**Product.model_json_schema(), "additionalProperties": False}
    for schema, expected in ((strict, True), (Product.model_json_schema(), False)):
        guided = GuidedDecodingParams(json=schema)
        body = body_of(ask("Hi"), find_provider("REMOTE"), guided_decoding=guided)
        form = body["response_format"]["json_schema"]
        assert (form["strict"], form["schema"]) == (expected, schema)


def test_a_schema_is_made_to_meet_the_rules_of_strict_mode():
    guided = GuidedDecodingParams(json=Product)
    form = body_of(ask("Hi"), guided_decoding=guided)["response_format"]["json_schema"]
    assert form["strict"]
    assert form["schema"] == {**Product.model_json_schema(), "additionalProperties": False}
    loose = guided.model_copy(update={"strict": False})
    form = body_of(ask("Hi"), guided_decoding=loose)["response_format"]["json_schema"]
    assert (form["strict"], form["schema"]) == (False, Product.model_json_schema())


def test_extra_fields_of_the_body():
    config = InferenceConfig(
        model=ModelParams(model_name="m", model_kwargs={"reasoning_effort": "low"})
    )
    body = orjson.loads(chat.encode(Request(ask("Hi"), config), chat.shared_body(config, OPENAI)))
    assert body["reasoning_effort"] == "low"


def test_a_row_without_tools_cannot_be_made_to_call_one():
    with pytest.raises(RequestError, match="no tools"):
        body_of(ask("Hi"), tool_choice="required")

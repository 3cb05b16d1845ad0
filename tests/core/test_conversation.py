from __future__ import annotations

import pickle

import pytest
from pydantic import ValidationError

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


def test_a_line_of_the_ecosystem_comes_back_as_it_was():
    line = (
        '{"conversation_id":"a","messages":[{"content":"Hi","role":"user"}],'
        '"metadata":{"n":1},"source":"web"}'
    )
    assert Conversation.from_json(line).to_dict() == {
        "conversation_id": "a",
        "messages": [{"role": "user", "content": "Hi"}],
        "metadata": {"n": 1},
        "source": "web",
    }


def test_images_in_all_forms_survive_a_round_trip():
    items = [
        ContentItem(type=Type.TEXT, content="look"),
        ContentItem(type=Type.IMAGE_URL, content="https://example.org/a.png"),
        ContentItem(type=Type.IMAGE_PATH, content="a.png"),
        ContentItem(type=Type.IMAGE_BINARY, binary=b"\x89PNG\x00\xff"),
    ]
    conversation = Conversation(messages=[Message(role=Role.USER, content=items)])
    assert Conversation.from_json(conversation.to_json()) == conversation
    assert conversation[0].count_content_items() == (4, 1, 3)


def test_parts_in_the_form_of_the_openai_api_are_taken():
    message = Message.model_validate(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "what is it?"},
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
            ],
        }
    )
    assert [item.type for item in message.content_items] == [Type.TEXT, Type.IMAGE_URL]
    assert message.compute_flattened_text_content() == "what is it?"


def test_tool_calls_take_arguments_as_text_or_object():
    call = ToolCall(id="1", function=FunctionCall(name="add", arguments={"a": 1}))
    assert call.function.arguments == '{"a":1}'
    assert call.function.get_arguments_dict() == {"a": 1}
    with pytest.raises(ValueError, match="add are no JSON object"):
        FunctionCall(name="add", arguments="[1]").get_arguments_dict()


def test_a_bare_function_is_a_tool():
    tool = ToolDefinition.model_validate({"name": "add", "parameters": {"type": "object"}})
    assert tool.function.name == "add"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"role": "user"}, "at least one of `content`"),
        ({"role": "user", "content": None}, "at least one of `content`"),
        ({"role": "assistant", "content": None, "tool_calls": []}, "non-empty"),
        ({"role": "assistant", "content": None, "function_call": {"name": "f"}}, "`tool_calls`"),
        ({"role": "user", "content": {"a": 1}}, "only a tool's message"),
        ({"role": "robot", "content": "x"}, "'system', 'developer', 'user'"),
        ({"role": "user", "content": [{"type": "image_binary"}]}, "needs bytes"),
        ({"role": "user", "content": [{"type": "image_binary", "binary": "%"}]}, "not base64"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(message: dict, reason: str):
    with pytest.raises(ValidationError, match=reason):
        Message.model_validate(message)


def test_a_reply_leaves_the_original_alone():
    before = Conversation(messages=[Message(role=Role.USER, content="Hi")], metadata={"a": 1})
    after = before.with_reply(Message(role=Role.ASSISTANT, content="Hello"), b=2)
    assert len(before.messages) == 1
    assert before.metadata == {"a": 1}
    assert after.last_message(Role.ASSISTANT).content == "Hello"
    assert after.metadata == {"a": 1, "b": 2}


@pytest.mark.parametrize("content", ["4", "", "é\u2028\U0001f600"])
def test_an_answer_that_was_not_validated_is_as_one_that_was(content: str):
    made, validated = Message.of_answer(content), Message(role="assistant", content=content)
    assert made == validated
    assert made.to_dict() == validated.to_dict()
    assert made.model_dump() == validated.model_dump()
    assert list(vars(made)) == list(vars(validated))
    assert made.model_fields_set == validated.model_fields_set
    assert pickle.loads(pickle.dumps(made)) == validated
    assert made.with_usage({"prompt_tokens": 1}).usage == {"prompt_tokens": 1}
    with pytest.raises(ValidationError, match="frozen"):
        made.content = "5"

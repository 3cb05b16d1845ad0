"""What a program finds out about a conversation, and what it writes."""

from __future__ import annotations

import pytest

from oumi.core.types import ContentItem, Conversation, FunctionCall, Message, Role, Type

TEXT = ContentItem(type=Type.TEXT, content="x")
IMAGE = ContentItem(type=Type.IMAGE_URL, content="https://example.org/a.png")
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def test_messages_are_filtered_by_role_and_by_a_function():
    conversation = Conversation(
        messages=[Message(role=role, content=role[0]) for role in ("user", "assistant", "user")]
    )
    first, answer, last = conversation.messages
    assert conversation.filter_messages(role=Role.USER) == [first, last]
    assert conversation.filter_messages(filter_fn=lambda m: m is not first) == [answer, last]
    assert conversation.filter_messages(Role.USER, lambda m: m is not first) == [last]
    assert conversation.filter_messages() == [first, answer, last]


@pytest.mark.parametrize(
    ("content", "text_only", "image_only", "one_text", "one_image"),
    [
        ("x", True, False, True, False),
        ([TEXT], True, False, True, False),
        ([TEXT, TEXT], True, False, False, False),
        ([IMAGE], False, True, False, True),
        ([IMAGE, IMAGE], False, True, False, False),
        ([TEXT, IMAGE], False, False, False, False),
        ([], False, False, False, False),
    ],
)
def test_what_a_message_consists_of(content, text_only, image_only, one_text, one_image):
    message = Message(role=Role.USER, content=content)
    assert message.contains_text_content_items_only() == text_only
    assert message.contains_image_content_items_only() == image_only
    assert message.contains_single_text_content_item_only() == one_text
    assert message.contains_single_image_content_item_only() == one_image


def test_fields_are_found_by_their_names():
    message = Message.model_validate({"role": "user", "content": "x", "weight": 2})
    assert message.get("content") == "x"
    assert message.get("weight") == 2
    assert message.get("tool_calls") is None
    assert message.get("get") is None
    assert message.get("nothing", "x") == "x"


def test_an_id_is_appended_where_there_is_one():
    conversation = Conversation(messages=[], conversation_id="a7")
    assert conversation.append_id_to_string("It failed. ") == "It failed. Conversation id: a7."
    assert conversation.append_id_to_string("") == "Conversation id: a7."
    assert Conversation(messages=[]).append_id_to_string("It failed.") == "It failed."


def test_a_repr_is_short_and_safe_to_print():
    conversation = Conversation(
        messages=[
            Message(id="1", role=Role.USER, content=[TEXT, IMAGE]),
            Message(role=Role.ASSISTANT, content="a" * 300 + "b"),
            Message(role=Role.ASSISTANT, tool_calls=[CALL]),
            Message(role=Role.ASSISTANT, content="\x1b[31m"),
        ]
    )
    assert repr(conversation).splitlines() == [
        "1 - USER: x | <IMAGE_URL>",
        f"ASSISTANT: {'a' * 200}…",
        'ASSISTANT: f({"a": 1})',
        "ASSISTANT: \\x1b[31m",
    ]


def test_tool_calls_come_back_byte_for_byte():
    tool = {
        "type": "function",
        "cache_control": {"type": "ephemeral"},
        "function": {"name": "f", "parameters": {"type": "object"}, "return": {"type": "string"}},
    }
    raw = {
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": None, "tool_calls": [{**CALL, "index": 0}]},
            {"role": "tool", "tool_call_id": "c1", "content": "[1, 2]"},
        ],
        "tools": [tool],
    }
    conversation = Conversation.model_validate(raw)
    assert conversation.to_dict() == raw
    assert Conversation.from_json(conversation.to_json()) == conversation


def test_metadata_is_written_where_it_was_set():
    message = Message(role=Role.USER, content="x")
    assert "metadata" not in Conversation(messages=[message]).to_dict()
    assert Conversation(messages=[message], metadata={}).to_dict()["metadata"] == {}
    changed = Conversation(messages=[message])
    changed.metadata["a"] = 1
    assert changed.to_dict()["metadata"] == {"a": 1}


def test_arguments_are_text_an_object_or_a_list():
    assert FunctionCall(name="f", arguments={"a": "é"}).arguments == '{"a":"é"}'
    assert FunctionCall(name="f", arguments=[1, 2]).arguments == "[1,2]"
    assert FunctionCall(name="f", arguments=[]).arguments == "[]"
    assert FunctionCall(name="f", arguments=None).get_arguments_dict() == {}
    with pytest.raises(ValueError, match="a str, dict, or list, not 42"):
        FunctionCall(name="f", arguments=42)
    with pytest.raises(ValueError, match="of f are not JSON"):
        FunctionCall(name="f", arguments="{a").get_arguments_dict()

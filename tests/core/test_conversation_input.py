"""Conversations as people have them: odd fields, parts in the forms of other APIs."""

from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from oumi.core.types import ContentItem, Conversation, Message, Role, Type

DATA = base64.b64encode(b"%PDF-1.7").decode()


def read(*messages: dict, **fields: object) -> Conversation:
    return Conversation.model_validate({"messages": list(messages), **fields})


@pytest.mark.parametrize(
    ("given", "role"),
    [("USER", Role.USER), ("Assistant", Role.ASSISTANT), ("developer", Role.DEVELOPER)],
)
def test_roles_may_be_in_capitals(given: str, role: Role):
    assert Message(role=given, content="x").role is role
    assert Conversation.from_json(read({"role": given, "content": "x"}).to_json())[0].role is role


def test_numbers_as_ids_are_text():
    call = {"id": 7, "function": {"name": "f", "arguments": {}}}
    conversation = read(
        {"id": 1, "role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": 7, "content": "x"},
        conversation_id=17,
    )
    assert conversation.conversation_id == "17"
    assert [conversation[0].id, conversation[0].tool_calls[0].id] == ["1", "7"]
    assert conversation[1].tool_call_id == "7"


def test_null_as_metadata_and_as_an_answer_is_empty():
    text = '{"messages": [{"role": "assistant", "content": null}], "metadata": null}'
    conversation = Conversation.from_json(text)
    assert conversation.metadata == {}
    assert conversation[0].content == ""
    refused = {"role": "assistant", "content": None, "refusal": "I cannot.", "tool_calls": None}
    assert read(refused)[0].content == "I cannot."


def test_the_result_of_a_tool_may_be_an_object():
    content = read({"role": "tool", "tool_call_id": "c", "content": {"a": [1, "é"]}})[0].content
    assert content == '{"a":[1,"é"]}'
    assert type(content) is str


@pytest.mark.parametrize(
    ("part", "item"),
    [
        ({"type": "text", "text": "x"}, ContentItem(type=Type.TEXT, content="x")),
        ({"type": "input_text", "text": "x"}, ContentItem(type=Type.TEXT, content="x")),
        (
            {"type": "text", "text": "x", "image_url": None},
            ContentItem(type=Type.TEXT, content="x"),
        ),
        (
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
            ContentItem(type=Type.TEXT, content="x", cache_control={"type": "ephemeral"}),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.test/b", "detail": "low"}},
            ContentItem(type=Type.IMAGE_URL, content="https://a.test/b", detail="low"),
        ),
        (
            {"type": "image_url", "image_url": "https://a.test/b"},
            ContentItem(type=Type.IMAGE_URL, content="https://a.test/b"),
        ),
        (
            {"type": "input_image", "image_url": "https://a.test/b", "detail": "high"},
            ContentItem(type=Type.IMAGE_URL, content="https://a.test/b", detail="high"),
        ),
        (
            {"type": "image", "image": "cats/a.png"},
            ContentItem(type=Type.IMAGE_PATH, content="cats/a.png"),
        ),
        (
            {"type": "image", "url": "https://a.test/b"},
            ContentItem(type=Type.IMAGE_URL, content="https://a.test/b"),
        ),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "x", "data": DATA}},
            ContentItem(type=Type.IMAGE_BINARY, binary=b"%PDF-1.7"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAA", "format": "wav"}},
            ContentItem(type=Type.AUDIO_BINARY, binary=b"\0\0", format="wav"),
        ),
        (
            {"type": "audio_url", "audio_url": {"url": "https://a.test/b"}},
            ContentItem(type=Type.AUDIO_URL, content="https://a.test/b"),
        ),
        (
            {"type": "file", "file": {"file_data": f"data:a/b;base64,{DATA}", "filename": "a"}},
            ContentItem(type=Type.PDF_URL, content=f"data:a/b;base64,{DATA}", filename="a"),
        ),
        (
            {"type": "input_file", "file_data": DATA, "filename": "a.pdf"},
            ContentItem(type=Type.PDF_BINARY, binary=b"%PDF-1.7", filename="a.pdf"),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a.test/b"}},
            ContentItem(type=Type.PDF_URL, content="https://a.test/b"),
        ),
        (
            {
                "type": "document",
                "title": "T",
                "source": {"type": "base64", "media_type": "application/pdf", "data": DATA},
            },
            ContentItem(type=Type.PDF_BINARY, binary=b"%PDF-1.7", filename="T"),
        ),
    ],
    ids=str,
)
def test_parts_of_other_apis_are_taken(part: dict, item: ContentItem):
    conversation = read({"role": "user", "content": [part]})
    assert conversation[0].content == [item]
    assert Conversation.from_json(conversation.to_json()) == conversation


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ({"type": "file", "file": {"file_id": "file-1"}}, "not by `file_id`"),
        ({"type": "input_file", "file_id": "file-1"}, "not by `file_id`"),
        ({"type": "document", "source": {"type": "file", "file_id": "x"}}, "type 'file'"),
        ({"type": "text", "content": "x", "binary": "AAAA"}, "has no `binary`"),
        ({"type": "image_url", "image_url": {}}, "needs `content`"),
        ({"type": "input_audio", "input_audio": {"data": "%"}}, "not base64"),
        ({"type": ["text"], "text": "x"}, "type"),
        ({"type": "video_url", "video_url": {"url": "x"}}, "'text', 'image_path'"),
    ],
    ids=str,
)
def test_a_part_that_cannot_be_used_is_refused(part: dict, reason: str):
    with pytest.raises(ValidationError, match=reason):
        read({"role": "user", "content": [part]})


def test_audio_and_pdfs_count_as_items_only():
    items = [
        ContentItem(type=Type.TEXT, content="x"),
        ContentItem(type=Type.AUDIO_URL, content="https://a.test/b"),
        ContentItem(type=Type.PDF_PATH, content="a.pdf"),
    ]
    message = Message(role=Role.USER, content=items)
    assert message.count_content_items() == (3, 1, 0)
    assert not message.contains_images()
    assert not message.contains_text_content_items_only()
    assert message.contains_media()

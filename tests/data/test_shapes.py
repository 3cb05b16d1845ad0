"""What rows are taken for, what stands beside the prompt, and what is said of other rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig
from oumi.core.types import Conversation, Role, Type
from oumi.data.opening import open_source
from oumi.data.source import Source
from oumi.errors import ConfigError, InputError
from tests.data.writing import user


def source_of(rows: list[dict[str, Any]], **settings: Any) -> Source:
    return open_source(rows, InferenceConfig(**settings))


def only(rows: list[dict[str, Any]], **settings: Any) -> Conversation:
    """The conversation of the first row."""
    row = next(iter(source_of(rows, **settings).rows()))
    assert row.conversation is not None, row.error
    return row.conversation


def error_of(rows: list[dict[str, Any]], **settings: Any) -> str:
    """What is wrong with the last row."""
    *_, row = source_of(rows, **settings).rows()
    return str(row.error)


def test_turns_of_sharegpt_become_messages_without_the_last_answer():
    turns = [("system", "be kind"), ("human", "hi"), ("gpt", "hello"), ("human", "2+2?")]
    given = [{"from": who, "value": text} for who, text in [*turns, ("gpt", "4")]]
    asked = only([{"conversations": given}])
    assert [(m.role, m.content) for m in asked] == [
        (Role.SYSTEM, "be kind"),
        (Role.USER, "hi"),
        (Role.ASSISTANT, "hello"),
        (Role.USER, "2+2?"),
    ]


def test_the_input_of_alpaca_follows_its_instruction():
    assert (
        only([{"instruction": "Add", "input": "1, 2", "output": "3"}])[0].content == "Add\n\n1, 2"
    )
    assert only([{"instruction": "Hello", "input": None}])[0].content == "Hello"


def test_columns_beside_the_prompt():
    row = {
        "prompt": "What is this?",
        "system": "Be brief",
        "image": {"bytes": b"\x89PNG", "path": None},
        "tools": json.dumps([{"name": "look", "description": "Look at it"}]),
    }
    source = source_of([row])
    assert source.recognised is not None
    assert all(f"from `{name}`" in source.recognised for name in ("system", "image", "tools"))
    asked = only([row])
    assert asked[0].content == "Be brief"
    image, text = asked[1].content_items
    assert (image.type, image.binary, text.content) == (
        Type.IMAGE_BINARY,
        b"\x89PNG",
        "What is this?",
    )
    assert asked.tools is not None
    assert asked.tools[0].function.name == "look"


@pytest.mark.parametrize(
    ("value", "kind"),
    [("a.png", Type.IMAGE_PATH), ("https://x.test/a.png", Type.IMAGE_URL), (b"GIF", None)],
)
def test_an_image_column_by_its_name(value: Any, kind: Type | None):
    asked = only([{"prompt": "What?", "photo": value}], image_column="photo")
    assert asked[0].content_items[0].type == (kind or Type.IMAGE_BINARY)


def test_several_images_and_none():
    asked = only([{"prompt": "What?", "images": ["a.png", "b.png"]}])
    assert [item.content for item in asked[0].image_content_items] == ["a.png", "b.png"]
    assert only([{"prompt": "What?", "images": None}])[0].content == "What?"


def test_messages_keep_their_system_message_and_other_columns(tmp_path: Path):
    given = [{"role": "system", "content": "own"}, *user("hi")]
    asked = only([{"messages": given, "system": "other", "topic": "t"}])
    assert [m.content for m in asked] == ["own", "hi"]
    assert asked.to_dict()["topic"] == "t"
    assert "system" not in asked.to_dict()


def test_ids_from_a_column():
    asked = [r.conversation for r in source_of([{"prompt": "a", "n": 7}], id_column="n").rows()]
    assert [one and one.conversation_id for one in asked] == ["7"]
    assert "n: no id in it" in error_of([{"prompt": "a", "n": 1}, {"prompt": "b"}], id_column="n")
    with pytest.raises(ConfigError, match=r"id_column: 'nn' is no column.*did you mean 'n'"):
        source_of([{"prompt": "a", "n": 7}], id_column="nn")


def test_what_is_not_recognised_shows_columns_and_a_prompt():
    with pytest.raises(InputError) as caught:
        source_of([{"id": 1, "long text": "a story of some length", "label": "x"}])
    assert "in the columns id, long text, label" in str(caught.value)
    assert """--prompt '{{ row["long text"] }}'""" in str(caught.value)
    with pytest.raises(InputError, match="conversation: did you mean 'conversations'"):
        source_of([{"conversation": 5}])


@pytest.mark.parametrize(
    ("first", "bad", "said"),
    [
        ({"prompt": "a"}, {"prompt": None}, "row 1: prompt: nothing in it"),
        ({"prompt": "a"}, {"other": 1}, "row 1: prompt: nothing in it"),
        ({"instruction": "a"}, {"instruction": ""}, "instruction: nothing in it"),
        ({"messages": user("a"), "system": "s"}, {"system": "s"}, "messages: nothing in it"),
        (
            {"conversations": [{"from": "human", "value": "a"}]},
            {"conversations": [{"from": "boss", "value": "a"}]},
            "conversations.0: unknown role 'boss'",
        ),
        (
            {"conversations": [{"from": "human", "value": "a"}]},
            {"conversations": [{"who": "human"}]},
            "conversations.0: expected `from` and `value`",
        ),
        ({"prompt": "a", "image": "x"}, {"prompt": "a", "image": 7}, "image: expected a path"),
        ({"custom_id": "a", "body": {"messages": user("a")}}, {"body": "x"}, "body: expected"),
    ],
)
def test_a_row_of_another_kind_is_named(first: dict[str, Any], bad: dict[str, Any], said: str):
    assert said in error_of([first, bad])


def test_a_first_row_without_a_prompt_hides_no_shape():
    first, second = source_of([{"prompt": None}, {"prompt": "a"}]).rows()
    assert str(first.error) == "the list of rows: row 0: prompt: nothing in it"
    assert second.conversation is not None


def test_lines_of_a_batch_file_bring_their_settings():
    body = {
        "model": "gpt-x",
        "messages": user("hi"),
        "max_completion_tokens": 7,
        "stop": "END",
        "temperature": 0.5,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "n", "schema": {"type": "object"}},
        },
        "n": 1,
    }
    row = next(iter(source_of([{"custom_id": "a", "body": body}]).rows()))
    assert row.conversation is not None
    assert row.conversation.conversation_id == "a"
    assert row.generation is not None
    assert row.generation.model_dump(exclude_unset=True) == {
        "max_new_tokens": 7,
        "stop_strings": ["END"],
        "temperature": 0.5,
        "guided_decoding": {"json": {"type": "object"}, "strict": True},
    }
    for more, said in [
        ({"n": 3}, "body.n: 3"),
        ({"max_completion_tokens": []}, "row 0: max_new_tokens: Input should be a valid integer"),
        ({"best_of": 2}, "no setting here is like best_of"),
    ]:
        assert said in error_of([{"custom_id": "b", "body": {**body, **more}}])

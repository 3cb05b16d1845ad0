"""The answer as an object."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from oumi.core.types import Conversation, Message, Role, ToolCall


class Model(BaseModel):
    name: str
    price: float


@dataclass
class Data:
    name: str
    price: float


class Typed(TypedDict):
    name: str
    price: float


def answered(text: str | None, **fields: object) -> Conversation:
    question = Message(role=Role.USER, content='{"name": "not this", "price": 0}')
    return Conversation(messages=[question, Message(role=Role.ASSISTANT, content=text, **fields)])


TEXT = '{"name": "lamp", "price": 9}'


def test_every_kind_of_form():
    conversation = answered(TEXT)
    assert conversation.parsed(Model) == Model(name="lamp", price=9)
    assert conversation.parsed(Data) == Data("lamp", 9.0)
    assert conversation.parsed(Typed) == {"name": "lamp", "price": 9.0}
    assert conversation.parsed() == {"name": "lamp", "price": 9}
    assert answered("[1, 2]").parsed(list[int]) == [1, 2]


def test_the_last_answer_counts():
    conversation = answered('{"name": "first", "price": 1}')
    more = [Message(role=Role.ASSISTANT, content=TEXT), Message(role=Role.USER, content="Thanks!")]
    longer = conversation.model_copy(update={"messages": [*conversation.messages, *more]})
    assert longer.parsed(Model).name == "lamp"


def test_numbers_and_names_are_those_that_were_checked():
    text = '{"n": 1, "n": 123456789012345678901234567890}'
    assert answered(text).parsed() == {"n": 123456789012345678901234567890}


@pytest.mark.parametrize(
    ("conversation", "reason"),
    [
        (answered("Sorry"), "the answer is not JSON: .*'Sorry'"),
        (answered(""), "the answer is not JSON"),
        (Conversation(messages=[Message(role=Role.USER, content=TEXT)]), "has no answer"),
        (
            answered(
                None,
                tool_calls=[
                    ToolCall.model_validate(
                        {"id": "1", "function": {"name": "f", "arguments": "{}"}}
                    )
                ],
            ),
            "only calls tools",
        ),
    ],
)
def test_what_cannot_be_read_says_so(conversation: Conversation, reason: str):
    with pytest.raises(ValueError, match=reason):
        conversation.parsed(Model)


def test_another_form_names_the_field():
    with pytest.raises(ValidationError, match="price"):
        answered('{"name": "lamp"}').parsed(Model)

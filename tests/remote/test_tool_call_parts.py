"""Streamed tool calls as OpenAI and others send them."""

from __future__ import annotations

from typing import Any

import pytest

from oumi.backends.openai_reply import decode_choice
from oumi.backends.openai_stream import StreamAssembler
from oumi.core.types import (
    Conversation,
    FunctionCall,
    Message,
    Role,
    ToolCall,
    ToolCallDelta,
)
from oumi.runner.streamed_calls import StreamedCalls


def part(name: str | None = None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {**fields, "function": {k: v for k, v in function.items() if v is not None}}


def assemble(*parts: dict[str, Any]) -> Message:
    """Each part in a chunk of its own."""
    assembler = StreamAssembler()
    for call in parts:
        assembler.add({"choices": [{"delta": {"tool_calls": [call]}}]})
    assembler.add({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    return decode_choice(assembler.choice, None).message


F, G = ("f", '{"x":1}'), ("g", '{"y":2}')
BOTH = [F, G]


@pytest.mark.parametrize(
    ("parts", "calls"),
    [
        pytest.param(
            [
                part("f", "", index=0, id="a"),
                part(None, '{"x"', index=0),
                part(None, ":1}", index=0),
                part("g", "", index=1, id="b"),
                part(None, '{"y":2}', index=1),
            ],
            BOTH,
            id="as OpenAI",
        ),
        pytest.param(
            [
                part("f", "", index=0, id="a"),
                part("g", "", index=1, id="b"),
                part(None, '{"y"', index=1),
                part(None, '{"x":1}', index=0),
                part(None, ":2}", index=1),
            ],
            BOTH,
            id="in turns",
        ),
        pytest.param([part(*F, index=0, id="a"), part(*G, index=0, id="b")], BOTH, id="one index"),
        pytest.param([part(*F, id="a"), part(*G, id="b")], BOTH, id="no index"),
        pytest.param([part(*F, index=None), part(*G, index=None)], BOTH, id="no index, no id"),
        pytest.param([part(*F, index=0), part(*G, index=0)], BOTH, id="one index, no id"),
        pytest.param([part(*F, index=0, id=""), part(*G, index=0, id="")], BOTH, id="empty ids"),
        pytest.param([part(*F, index=0), part(*F, index=0)], [F, F], id="twice the same"),
        pytest.param(
            [
                part("f", "", index=0),
                part(None, '{"x":1}', index=0),
                part("f", "", index=0),
                part(None, '{"x":2}', index=0),
            ],
            [F, ("f", '{"x":2}')],
            id="twice the same, in parts",
        ),
        pytest.param(
            [
                part("f", "", index=0, id="a"),
                part("f", '{"x"', index=0, id="a"),
                part("f", ":1}", index=0, id="a"),
                part("f", "", index=0, id="a"),
            ],
            [F],
            id="all repeated",
        ),
        pytest.param(
            [part("f", "", index=0), part("f", '{"x":1}', index=0), part("f", "", index=0)],
            [F],
            id="name repeated, no id",
        ),
        pytest.param(
            [
                part("f", "", index=0, id="a"),
                part(None, '{"x"', index=0, id="b"),
                part(None, ":1}", index=0, id="c"),
            ],
            [F],
            id="an id for each part",
        ),
        pytest.param(
            [part("f", "", index=0, id="a"), part(None, '{"x":1}', index=1)],
            [F],
            id="an index for each part",
        ),
        pytest.param([part(*F, index=1, id="a"), part(*G, index=2, id="b")], BOTH, id="from 1"),
        pytest.param([part(*F, index=10**9, id="a")], [F], id="a large index"),
        pytest.param([part("f", {"x": 1}, index=0, id="a")], [F], id="an object"),
        pytest.param(
            [part("f", None, id="a"), part("g", None, id="b")], [("f", "{}"), ("g", "{}")]
        ),
        pytest.param(
            [part(*F, index=0, id="x"), part(*G, index=1, id="x")], BOTH, id="one id for both"
        ),
        pytest.param(
            [{"index": 0, "id": "a", "name": "f", "arguments": '{"x":1}'}], [F], id="flat"
        ),
    ],
)
def test_calls_are_told_apart(parts: list[dict], calls: list[tuple[str, str]]) -> None:
    message = assemble(*parts)
    assert [(c.function.name, c.function.arguments) for c in message.tool_calls] == calls
    ids = [call.id for call in message.tool_calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    assert ids == [call.id for call in assemble(*parts).tool_calls], "the same each time"
    for call in message.tool_calls:  # so that each can be answered
        Message(role=Role.TOOL, content="1", tool_call_id=call.id)
    Conversation(messages=[message])


def test_ids_that_are_given_are_kept() -> None:
    message = assemble(part(*F, index=0, id="a"), part(*G, index=0, id=7))
    assert [call.id for call in message.tool_calls] == ["a", "7"]


def test_the_form_before_tool_calls() -> None:
    assembler = StreamAssembler()
    for delta in ({"name": "f", "arguments": ""}, {"arguments": '{"x"'}, {"arguments": ":1}"}):
        assembler.add({"choices": [{"delta": {"function_call": delta}}]})
    [call] = decode_choice(assembler.choice, None).message.tool_calls
    assert (call.function.name, call.function.arguments) == F


def shown(*parts: dict[str, Any]) -> list[ToolCallDelta]:
    """What is streamed on of the parts."""
    assembler = StreamAssembler()
    deltas = [assembler.add({"choices": [{"delta": {"tool_calls": [call]}}]}) for call in parts]
    return [part for delta in deltas if delta for part in delta.tool_calls]


def test_parts_are_streamed_on_from_the_one_that_has_id_and_name():
    parts = shown(
        part("f", "", index=0, id="a"),
        part(None, '{"x":', index=0),
        part("g", '{"y":2}', index=1, id="b"),
        part(None, "1}", index=0),
    )
    assert parts == [
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(0, arguments='{"x":'),
        ToolCallDelta(1, "b", "g", '{"y":2}'),
        ToolCallDelta(0, arguments="1}"),
    ]


def test_a_call_that_begins_without_an_id_is_not_streamed_on():
    assert shown(part("f", '{"x":', index=0), part(None, "1}", index=0, id="late")) == []


def test_what_was_not_streamed_of_calls_is_left_for_the_end():
    calls = [
        ToolCall(id=call_id, function=FunctionCall(name=name, arguments=arguments))
        for call_id, name, arguments in (("a", "f", "{}"), ("b", "g", '{"y":2}'), ("c", "h", "{}"))
    ]
    streamed = StreamedCalls()
    streamed.add([ToolCallDelta(0, "b", "g", '{"y"'), ToolCallDelta(1, "c", "h", "{}")])
    assert list(streamed.rest(calls)) == [
        ToolCallDelta(2, "a", "f", "{}"),
        ToolCallDelta(0, arguments=":2}"),
    ]

"""Reasoning is read under each of its names, and sent back where the provider asks for it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from oumi.backends.remote.dialects import chat
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import InferenceConfig
from oumi.core.types import Conversation, FunctionCall, Message, Role, ToolCall
from oumi.runner.request import KeyMaker, Request

CONFIG = InferenceConfig()
DETAILS = [
    {"type": "reasoning.text", "text": "Hm.", "signature": "s1", "index": 0},
    {"type": "reasoning.encrypted", "data": "x", "index": 1},
]
NAMES = [
    {"reasoning_content": "Hm."},
    {"reasoning": "Hm."},
    {"thinking": "Hm."},
    {"reasoning_details": DETAILS},
    {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "s1"}]},
    {"reasoning_content": None, "reasoning": "Hm.", "reasoning_details": []},
    {"reasoning": {"summary": [{"type": "summary_text", "text": "Hm."}]}},
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]},
]


def stream(*deltas: dict[str, Any]) -> Message:
    decoder = chat.stream_decoder(CONFIG)
    choices = [{"delta": delta} for delta in deltas] + [{"delta": {}, "finish_reason": "stop"}]
    for choice in choices:
        decoder.feed(b"data: " + orjson.dumps({"choices": [choice]}) + b"\n\n")
    return decoder.last().completion.message


@pytest.mark.parametrize("fields", NAMES, ids=lambda fields: ",".join(fields))
def test_names(fields: dict[str, Any]) -> None:
    message = {"content": "a", **fields}
    body = orjson.dumps({"choices": [{"finish_reason": "stop", "message": message}]})
    assert chat.decode(body, CONFIG).message.reasoning_content == "Hm."
    assert stream(fields, {"content": "a"}).reasoning_content == "Hm."


@pytest.mark.parametrize("value", [True, 7, {}, [], {"effort": "high"}, [None], {"text": 7}])
def test_what_is_no_reasoning_costs_nothing(value: Any) -> None:
    message = {"content": "a", "reasoning": value, "reasoning_details": value, "thinking": value}
    body = orjson.dumps({"choices": [{"finish_reason": "stop", "message": message}]})
    found = chat.decode(body, CONFIG).message
    assert (found.content, found.reasoning_content) == ("a", None)


def test_details_in_parts_are_joined() -> None:
    parts = [
        {"type": "reasoning.text", "text": "H", "index": 0},
        {"type": "reasoning.text", "text": "m.", "index": 0},
        {"type": "reasoning.text", "signature": "s1", "index": 0},
        {"type": "reasoning.encrypted", "data": "x", "index": 1},
    ]
    message = stream(*({"reasoning_details": [part]} for part in parts), {"content": "a"})
    assert message.reasoning_details == DETAILS
    assert message.reasoning_content == "Hm."


CALL = ToolCall(id="c", function=FunctionCall(name="f", arguments="{}"))


def sent(provider: str, **fields: Any) -> dict[str, Any]:
    """What an API gets of an assistant's message that calls a tool."""
    message = Message(role=Role.ASSISTANT, **{"tool_calls": [CALL], **fields})
    request = Request(Conversation(messages=[message]), CONFIG)
    body = chat.encode(request, {}, provider=find_provider(provider))
    found = orjson.loads(body)["messages"][0]
    return {name: value for name, value in found.items() if name.startswith("reasoning")}


@pytest.mark.parametrize(
    ("provider", "fields"),
    [
        ("DEEPSEEK", {"reasoning_content": "Hm."}),
        ("FIREWORKS", {"reasoning_content": "Hm."}),
        ("OPENROUTER", {"reasoning": "Hm."}),
        ("REMOTE_VLLM", {"reasoning": "Hm."}),
        ("TOGETHER", {"reasoning": "Hm."}),
        ("OPENAI", {}),
        ("REMOTE", {}),
    ],
)
def test_where_it_is_sent_back(provider: str, fields: dict[str, Any]) -> None:
    assert sent(provider, reasoning_content="Hm.") == fields
    assert sent(provider, reasoning_content="Hm.", content="a", tool_calls=None) == {}


def test_deepseek_needs_the_field_even_where_there_was_no_reasoning() -> None:
    assert sent("DEEPSEEK") == {"reasoning_content": ""}
    assert sent("FIREWORKS") == {}


def test_openrouter_gets_its_details_back_as_they_came() -> None:
    assert sent("OPENROUTER", reasoning_content="Hm.", reasoning_details=DETAILS) == {
        "reasoning_details": DETAILS
    }
    foreign = [{"type": "thinking", "thinking": "Hm."}]
    assert sent("OPENROUTER", reasoning_content="Hm.", reasoning_details=foreign) == {
        "reasoning": "Hm."
    }


def test_a_call_without_details_has_the_key_that_it_had_before_there_were_any() -> None:
    key = KeyMaker(CONFIG, {}).key
    message = Message(role=Role.ASSISTANT, tool_calls=[CALL])
    assert key(Conversation(messages=[message])) == "06ebceba24fb4e918ae5792e7f66185f"
    with_details = message.model_copy(update={"reasoning_details": DETAILS})
    assert key(Conversation(messages=[with_details])) != key(Conversation(messages=[message]))

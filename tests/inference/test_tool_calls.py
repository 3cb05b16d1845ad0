"""Calls of tools on LLAMACPP: held to the tools of their row, whether forced or not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from oumi.core.types import Conversation, Message, Role
from tests.conftest import ask
from tests.inference.test_llama_cpp import generation

N = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
DATE = {
    "type": "object",
    "properties": {"day": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}},
    "required": ["day"],
    "additionalProperties": False,
}
WITH_ADDRESS = {
    "$id": "https://example.org/x",
    "$defs": {"A": {"type": "integer"}},
    **{**N, "properties": {"n": {"$ref": "#/$defs/A"}}},
}
RECURSIVE = {**N, "properties": {"n": {"type": "integer"}, "child": {"$ref": "#"}}}
NAMED_AS_A_KEYWORD = {**N, "properties": {"$ref": {"type": "integer"}}, "required": ["$ref"]}


def tool(name: str, parameters: Any = None) -> dict[str, Any]:
    given = {} if parameters is None else {"parameters": parameters}
    return {"type": "function", "function": {"name": name, "description": "Does it.", **given}}


def row(*tools: dict[str, Any], text: str = "Use the tool with 3.") -> Conversation:
    messages = [{"role": "user", "content": text}]
    return Conversation.from_dict({"messages": messages, "tools": list(tools)})


CHOICES = ["required", {"type": "function", "function": {"name": "it"}}]


@pytest.mark.parametrize("choice", CHOICES, ids=["required", "named"])
@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        (N, r'\{"n":-?\d+\}'),
        (None, r"\{\}"),
        ({}, r"\{\}"),
        (DATE, r'\{"day":"\d{4}-\d{2}-\d{2}"\}'),
        (WITH_ADDRESS, r'\{"n":-?\d+\}'),
        (RECURSIVE, r'\{"n":-?\d+.*\}'),
        (NAMED_AS_A_KEYWORD, r'\{"\$ref":-?\d+\}'),
    ],
)
def test_a_forced_call_has_the_arguments_of_its_tool(engine, choice, parameters, arguments: str):
    config = generation(max_new_tokens=80, tool_choice=choice, parallel_tool_calls=False)
    [done] = engine.infer([row(tool("it", parameters))], config)
    [call] = done.messages[-1].tool_calls
    assert call.function.name == "it"
    assert re.fullmatch(arguments, call.function.arguments)


@pytest.mark.parametrize("name", ["fs/read", "a.b", "read file", "a%2Fb~1", "読む", 'say"it"'])
def test_any_name(engine, name: str):
    config = generation(max_new_tokens=80, tool_choice="required", parallel_tool_calls=False)
    [done] = engine.infer([row(tool(name, N))], config)
    assert done.messages[-1].tool_calls[0].function.name == name


def test_a_call_that_the_model_makes_by_itself_is_one_of_its_tools(engine, capfd):
    # The model would call a tool of another name, with another argument.
    weather = row(tool("lookup", DATE), text="What is the weather in Paris?")
    [done] = engine.infer([weather], generation(max_new_tokens=80))
    [call] = done.messages[-1].tool_calls
    assert call.function.name == "lookup"
    assert re.fullmatch(r'\{"day":"\d{4}-\d{2}-\d{2}"\}', call.function.arguments)
    assert done.messages[-1].id is None
    assert not capfd.readouterr().err


def test_a_row_with_tools_may_be_answered_by_text(engine):
    [done] = engine.infer([row(tool("it", N), text="Hi")], generation())
    assert done.messages[-1].content == "Hello! How can I help you?"
    assert not done.messages[-1].tool_calls


@pytest.mark.parametrize("keyword", [{"pattern": r"^([xyz]+) \1$"}, {"format": "uri"}])
def test_what_no_sampler_keeps_is_checked_in_the_call(engine, keyword: dict[str, str]):
    parameters = {**N, "properties": {"n": {"type": "string", **keyword}}}
    question = row(tool("it", parameters), text="What is the weather in Paris?")
    config = generation(max_new_tokens=80, tool_choice="required", parallel_tool_calls=False)
    result = engine.infer_partial([question], config)
    [failure] = result.failures.values()
    assert failure.error_message.startswith("a call of it: /n: ")
    assert '"name": "it"' in failure.reply
    assert failure.usage.completion_tokens > 5


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_a_call_that_is_cut_off_is_a_failure(engine, choice: str):
    question = row(tool("get_weather", DATE), text="What is the weather in Paris?")
    result = engine.infer_partial([question], generation(max_new_tokens=8, tool_choice=choice))
    [failure] = result.failures.values()
    assert "a call was cut off after 8 tokens: raise max_new_tokens" in failure.error_message
    assert "<tool_call>" in failure.reply


def test_broken_arguments_of_an_earlier_call_do_not_end_a_talk(engine):
    call = {"id": "1", "function": {"name": "it", "arguments": '{"n": '}}
    messages = [
        *ask("What is 2+2?").messages,
        Message(role=Role.ASSISTANT, tool_calls=[call]),
        Message(role=Role.TOOL, tool_call_id="1", content="not JSON"),
        *ask("What is the capital of France?").messages,
    ]
    tools = row(tool("it", N)).tools
    [done] = engine.infer([Conversation(messages=messages, tools=tools)], generation())
    assert done.messages[-1].content

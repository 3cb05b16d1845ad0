"""Tools and thoughts in the NATIVE engine."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

from oumi.core.configs import GuidedDecodingParams
from oumi.core.types import Conversation, FinishReason, ToolDefinition
from tests.conftest import ask
from tests.engines.asking import generation

WEATHER = ToolDefinition.model_validate(
    {
        "name": "get_weather",
        "description": "Current weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
)
ROUTE = ToolDefinition.model_validate(
    {
        "name": "find_route",
        "parameters": {
            "type": "object",
            "properties": {
                "legs": {"type": "array", "items": {"$ref": "#/$defs/Leg"}, "maxItems": 2}
            },
            "required": ["legs"],
            "additionalProperties": False,
            "$defs": {"Leg": {"type": "string", "minLength": 2, "maxLength": 4}},
        },
    }
)
TIME = ToolDefinition.model_validate(
    {
        "name": "get_time",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 6}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
)
THE_ROUTE = {"type": "function", "function": {"name": "find_route"}}


def weather_in(*cities: str) -> Conversation:
    return ask(f"What is the weather in {' and in '.join(cities)}?", tools=[WEATHER])


def calls_of(done: Conversation) -> list[tuple[str, Any]]:
    calls = done.messages[-1].tool_calls or []
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


def forced(choice: Any, **fields: object) -> Any:
    """Settings under which answers vary, but within their form."""
    more = {"temperature": 1.5, "seed": 3, "max_new_tokens": 300, "parallel_tool_calls": False}
    return generation(tool_choice=choice, **{**more, **fields})


def test_tools_are_called(native):
    [done] = native.infer([weather_in("Paris")], generation(max_new_tokens=80))
    assert done.metadata["finish_reason"] == FinishReason.TOOL_CALLS
    assert calls_of(done) == [("get_weather", {"city": "Paris"})]
    assert done.messages[-1].content is None
    pieces = list(native.stream(weather_in("Paris"), generation(max_new_tokens=80)))
    assert [piece.content for piece in pieces] == [""]
    assert pieces[0].completion.message == done.messages[-1]


@pytest.mark.parametrize("choice", ["required", THE_ROUTE], ids=["required", "named"])
def test_a_call_that_has_to_be_made_keeps_to_its_schema(native, choice: Any):
    rows = [ask(f"Hello for the {i}th time", tools=[TIME, ROUTE]) for i in range(12)]
    schemas = {tool.function.name: tool.function.parameters for tool in (TIME, ROUTE)}
    for done in native.infer(rows, forced(choice)):
        [(name, arguments)] = calls_of(done)
        assert name == "find_route" or choice == "required"
        jsonschema_rs.validate(schemas[name], arguments)
        assert done.metadata["finish_reason"] == FinishReason.TOOL_CALLS


def test_several_calls_only_where_they_are_wanted(native):
    twice = GuidedDecodingParams(choice=[f"{CALL}\n{CALL}"])
    [both] = native.infer(
        [weather_in("Paris")], generation(guided_decoding=twice, max_new_tokens=100)
    )
    assert len(calls_of(both)) == 2
    single = generation(guided_decoding=twice, max_new_tokens=100, parallel_tool_calls=False)
    [one] = native.infer([weather_in("Paris")], single)
    assert len(calls_of(one)) == 1
    usage = [done.metadata["usage"]["completion_tokens"] for done in (one, both)]
    assert usage[0] < usage[1], "the model stops after the first call"


CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>'


def test_no_call_where_none_is_wanted(native):
    [plain] = native.infer([ask("What is the weather in Paris?")], generation())
    [done] = native.infer([weather_in("Paris")], generation(tool_choice="none"))
    assert done.messages[-1] == plain.messages[-1]


def test_a_choice_that_cannot_be_made_fails_its_row(native):
    result = native.infer_partial([ask("Hi"), weather_in("Paris")], forced("required"))
    assert result.rows == [1]
    assert "the row has no tools" in result.error_messages[0]
    result = native.infer_partial([weather_in("Paris")], forced(THE_ROUTE))
    assert "tools are: get_weather" in result.error_messages[0]

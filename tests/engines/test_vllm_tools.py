"""Tools, thoughts and vLLM's own parsers in the VLLM engine."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

pytest.importorskip("vllm")

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
)
from oumi.core.types import Completion, Conversation, FinishReason, Message, Role, ToolDefinition
from oumi.errors import ConfigError
from oumi.inference import VLLMInferenceEngine
from oumi.runner import loop
from oumi.runner.request import Request
from tests.conftest import ask
from tests.engines.asking import generation
from tests.engines.conftest import vllm_params
from tests.shapes import WEATHER

TRIP = ToolDefinition.model_validate(
    {
        "name": "plan_trip",
        "parameters": {
            "type": "object",
            "properties": {
                "stops": {"type": "array", "items": {"$ref": "#/$defs/Stop"}, "maxItems": 2},
            },
            "required": ["stops"],
            "additionalProperties": False,
            "$defs": {
                "Stop": {
                    "type": "object",
                    "properties": {
                        "city": {"type": "string", "maxLength": 8},
                        "nights": {"type": "integer", "minimum": 1, "maximum": 9},
                    },
                    "required": ["city", "nights"],
                    "additionalProperties": False,
                }
            },
        },
    }
)
TIME = ToolDefinition.model_validate(
    {
        "name": "get_time",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 8}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
)
TOOLS = [TIME, TRIP]
THE_TRIP = {"type": "function", "function": {"name": "plan_trip"}}


def calls_of(done: Conversation) -> list[tuple[str, Any]]:
    calls = done.messages[-1].tool_calls or []
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


def rows(count: int, tools: list[ToolDefinition] = TOOLS) -> list[Conversation]:
    return [ask(f"Hello for the {i}th time!", tools=tools) for i in range(count)]


def forced(**fields: object) -> Any:
    """Settings under which answers are of every kind, but within their form."""
    more = {"parallel_tool_calls": False, "temperature": 1.5, "seed": 1, "max_new_tokens": 300}
    return generation(**{**more, **fields})


def answer_of(
    engine: VLLMInferenceEngine, model: ModelParams, row: Conversation, guided: GuidedDecodingParams
) -> Completion:
    """How what the form says is read: whole, and piece by piece, which has to be the same."""
    generation = GenerationParams(max_new_tokens=100, guided_decoding=guided)
    request = Request(row, InferenceConfig(model=model, generation=generation))
    session = engine.session()
    completion = loop.call(session.complete(request))
    pieces = list(loop.iterate(session.stream(request)))
    message = completion.message
    assert pieces[-1].completion == completion
    assert "".join(piece.content for piece in pieces) == (message.content or "")
    thought = "".join(piece.reasoning_content for piece in pieces)
    assert thought == (message.reasoning_content or "")
    return completion


def thinking(thought: str, answer: str) -> GuidedDecodingParams:
    """A grammar of this answer, with the reasoning between real marker tokens."""
    grammar = f"start: <think> {json.dumps(thought)} </think> {json.dumps(answer)}"
    return GuidedDecodingParams(grammar=grammar)


def test_the_model_calls_a_tool_and_takes_its_result(vllm):
    [done] = vllm.infer([ask("What is the weather in Paris?", tools=[WEATHER])], generation())
    assert calls_of(done) == [("get_weather", {"city": "Paris"})]
    assert done.messages[-1].content is None
    assert done.metadata["finish_reason"] == FinishReason.TOOL_CALLS
    [call] = done.messages[-1].tool_calls
    assert call.id == "call_0"
    result = Message(role=Role.TOOL, content='{"weather": "sunny"}', tool_call_id=call.id)
    more = done.model_copy(update={"messages": [*done.messages, result]})
    [end] = vllm.infer([more], generation())
    assert end.messages[-1].content


@pytest.mark.parametrize("choice", ["required", THE_TRIP], ids=["required", "named"])
def test_a_call_that_has_to_be_made_is_made_by_its_schema(vllm, choice: Any):
    config = forced(tool_choice=choice)
    parameters = {tool.function.name: tool.function.parameters for tool in TOOLS}
    for done in vllm.infer(rows(20), config):
        [(name, arguments)] = calls_of(done)
        assert done.metadata["finish_reason"] == FinishReason.TOOL_CALLS
        assert name == "plan_trip" or choice == "required"
        jsonschema_rs.validate(parameters[name], arguments)


def test_a_call_that_is_streamed_comes_whole(vllm):
    weather = ask("What is the weather in Paris?", tools=[WEATHER])
    for row, config in ((weather, generation()), (rows(1)[0], forced(tool_choice="required"))):
        pieces = list(vllm.stream(row, config))
        assert "".join(piece.content for piece in pieces) == ""
        assert len(pieces[-1].completion.message.tool_calls) == 1


def test_no_call_where_none_is_wanted(vllm):
    row = ask("What is the weather in Paris?", tools=[WEATHER])
    [plain] = vllm.infer([ask("What is the weather in Paris?")], generation())
    [done] = vllm.infer([row], generation(tool_choice="none"))
    assert done.messages[-1] == plain.messages[-1]


def test_a_choice_that_cannot_be_made_fails_its_row(vllm):
    both = [ask("Hi"), ask("Hi", tools=TOOLS)]
    result = vllm.infer_partial(both, forced(tool_choice="required"))
    assert result.rows == [1]
    assert "the row has no tools" in result.error_messages[0]
    unknown = {"type": "function", "function": {"name": "get_whether"}}
    for choice, reason in (
        (unknown, "tools are: get_time, plan_trip"),
        ("auto!", "may be 'auto'"),
    ):
        result = vllm.infer_partial(both[1:], generation(tool_choice=choice))
        assert reason in result.error_messages[0]


@pytest.mark.parametrize("text", ["<think>Two and two.</think>\n\nFour.", "<think>Two and"])
def test_what_a_form_asks_for_is_content(vllm, text: str):
    """The form holds from the first token on, so there is no thought before it."""
    guided = GuidedDecodingParams(choice=[text])
    message = answer_of(vllm, vllm_params(), ask("2 + 2?"), guided).message
    assert (message.reasoning_content, message.content) == (None, text)


def test_vllms_parser_finds_calls(equipped_vllm, equipped_params):
    row = ask("Hi", tools=TOOLS)
    calls = '[get_time(city="Paris"), get_time(city="Rome")]'
    done = answer_of(equipped_vllm, equipped_params, row, thinking("So be it.", calls))
    found = [(call.id, call.function.get_arguments_dict()) for call in done.message.tool_calls]
    assert found == [("call_0", {"city": "Paris"}), ("call_1", {"city": "Rome"})]
    assert done.finish_reason == FinishReason.TOOL_CALLS
    assert done.message.reasoning_content == "So be it."
    done = answer_of(equipped_vllm, equipped_params, row, thinking("So be it.", "Just text."))
    assert (done.message.content, done.message.tool_calls) == ("Just text.", None)


def test_vllms_parser_finds_reasoning(equipped_vllm, equipped_params):
    guided = GuidedDecodingParams(grammar='start: "Two and two." </think> "Four."')
    message = answer_of(equipped_vllm, equipped_params, ask("2 + 2?"), guided).message
    assert (message.reasoning_content, message.content) == ("Two and two.", "Four.")


def test_a_call_has_to_be_made_whatever_the_parser(equipped_vllm):
    done = equipped_vllm.infer(rows(5), forced(tool_choice="required"))
    assert all(calls_of(one) for one in done)


def test_a_parser_that_vllm_does_not_have():
    with pytest.raises(ConfigError, match=r"tool_call_parser: .* 'herms'; did you mean 'hermes'"):
        VLLMInferenceEngine(vllm_params(tool_call_parser="herms"))
    with pytest.raises(ConfigError, match=r"reasoning_parser: .* 'qwen_3'; did you mean 'qwen3'"):
        VLLMInferenceEngine(vllm_params(model_kwargs={"reasoning_parser": "qwen_3"}))

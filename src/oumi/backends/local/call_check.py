"""Calls of tools, checked once they are there: of which tool, and with which arguments."""

from __future__ import annotations

import json
from functools import lru_cache

from oumi.backends.local.tool_calls import TOOL_CALL_START, forced_tools, parameters_of
from oumi.core.configs import GuidedDecodingParams
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import FinishReason
from oumi.core.types.tool_call import ToolCall, ToolDefinition
from oumi.errors import StructuredOutputError
from oumi.runner.request import Request
from oumi.structured.outcome import text_of
from oumi.structured.validate import Validator, make_validator


def check_calls(completion: Completion, request: Request) -> None:
    """Raise StructuredOutputError, which keeps the answer, for calls of no tool of the row."""
    tools = request.conversation.tools
    if not tools or request.config.generation.tool_choice == "none":
        return
    problem = _problem(completion, request, tools)
    if problem is not None:
        raise StructuredOutputError(problem, _shown(completion), completion.usage)


def _problem(completion: Completion, request: Request, tools: list[ToolDefinition]) -> str | None:
    calls, text = completion.message.tool_calls or [], text_of(completion)
    is_cut_off = completion.finish_reason is FinishReason.LENGTH
    if is_cut_off and (TOOL_CALL_START in text or forced_tools(request)):
        tokens = completion.usage.completion_tokens
        return f"a call was cut off after {tokens} tokens: raise max_new_tokens"
    if not calls and forced_tools(request):
        return "no tool was called, though tool_choice says so"
    return next((problem for call in calls if (problem := _problem_of(call, tools))), None)


def _problem_of(call: ToolCall, tools: list[ToolDefinition]) -> str | None:
    name = call.function.name
    tool = next((tool for tool in tools if tool.function.name == name), None)
    if tool is None:
        known = ", ".join(tool.function.name for tool in tools)
        return f"a call of {name!r:.80}, which is none of the row's tools: {known:.200}"
    validator = _validator(json.dumps(parameters_of(tool)))
    if validator is None:
        return None
    verdict = validator(call.function.arguments or "{}")
    return None if verdict.describe is None else f"a call of {name}: {verdict.describe()}"


@lru_cache(maxsize=256)
def _validator(parameters: str) -> Validator | None:
    """Checks arguments; None for parameters that are no schema, which then say nothing."""
    try:
        return make_validator(GuidedDecodingParams(json=json.loads(parameters)))
    except ValueError:
        return None


def _shown(completion: Completion) -> str:
    """The answer as text, with its calls."""
    calls = [call.function.model_dump() for call in completion.message.tool_calls or ()]
    shown = [json.dumps(call, ensure_ascii=False) for call in calls]
    return "\n".join(filter(None, [text_of(completion), *shown]))

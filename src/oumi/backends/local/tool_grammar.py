"""Grammars that hold the calls of tools to the tools of their row, in llguidance's Lark notation.

Notation: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from oumi.backends.local.tool_calls import (
    TOOL_CALL_END,
    TOOL_CALL_START,
    forced_tools,
    parameters_of,
)
from oumi.core.configs import GuidedDecodingParams
from oumi.core.json_schema.subschemas import map_subschemas
from oumi.core.types.tool_call import ToolDefinition
from oumi.errors import OumiError
from oumi.runner.request import Request

# The llguidance within llama.cpp drops a whole grammar for a format that it does not know.
_UNKNOWN_FORMATS = ("uri",)
# Keywords of which samplers know some values only, or none.
_OFTEN_REFUSED = ("format", "not", "pattern", "propertyNames", "uniqueItems")


def calls_grammar(request: Request, *, marked: bool) -> str | None:
    """The grammar of an answer that may or must hold calls of tools; None for any other.

    Marked calls have the form of Hermes models. Others are a JSON list of
    `{"name": …, "arguments": …}`, and held to their tools only where a call is forced.
    """
    from oumi.structured.sampler.grammar import to_lark  # loads llguidance

    tools, guided = forced_tools(request), request.config.generation.guided_decoding
    if not marked:
        schema = forced_list(request)
        return None if schema is None else to_lark(GuidedDecodingParams(json=schema))
    if tools:
        more = "" if _is_single(request) else r' ("\n<tool_call>" call)*'
        return f'start: "{TOOL_CALL_START}" call{more}\n{_call_rules(tools)}'
    tools = request.conversation.tools or []
    if not tools or guided is not None or request.config.generation.tool_choice == "none":
        return None
    more = "" if _is_single(request) else " (prose call)*"
    # A text ends where it holds the start of a call, which the call's own rules then follow.
    return (
        f"start: TEXT | prose call{more} TEXT\n"
        f'prose[suffix="{TOOL_CALL_START}"]: /(?s:.*)/\n'
        f"TEXT: /(?s:.*)/ & ~/(?s:.*){TOOL_CALL_START}(?s:.*)/\n{_call_rules(tools)}"
    )


def forced_list(request: Request) -> dict[str, Any] | None:
    """The JSON schema of an answer that must be a list of tool calls; None where they are optional.

    Its items are `{"name": …, "arguments": …}`.
    """
    tools = forced_tools(request)
    if not tools:
        return None
    call = _schema_of_calls(tools)
    most = {"maxItems": 1} if _is_single(request) else {}
    items = {"anyOf": call["anyOf"]}
    return {"type": "array", "items": items, "minItems": 1, **most, "$defs": call["$defs"]}


def _is_single(request: Request) -> bool:
    generation = request.config.generation
    is_named = generation.tool_choice not in (None, "auto", "none", "required")
    return is_named or not generation.parallel_tool_calls


def _call_rules(tools: list[ToolDefinition]) -> str:
    """The rule `call`, for what stands between the markers of a call."""
    from oumi.structured.sampler.grammar import to_lark  # loads llguidance

    rules = to_lark(GuidedDecodingParams(json=_schema_of_calls(tools))).removeprefix("start: ")
    return f'call: "\\n" object "\\n{TOOL_CALL_END}"\nobject: {rules}'


def _schema_of_calls(tools: list[ToolDefinition]) -> dict[str, Any]:
    """The JSON schema of `{"name": …, "arguments": …}` for any of the tools."""
    return {
        "anyOf": [_call_schema(tool.function.name, n) for n, tool in enumerate(tools)],
        "$defs": {
            f"tool{n}": _moved(json.loads(_sampled(json.dumps(parameters_of(tool)))), n)
            for n, tool in enumerate(tools)
        },
    }


def _call_schema(name: str, number: int) -> dict[str, Any]:
    arguments = {"$ref": f"#/$defs/tool{number}"}
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


@lru_cache(maxsize=256)
def _sampled(parameters: str) -> str:
    """The parameters of a tool, as JSON, as far as a sampler keeps to them.

    What it cannot keep to is left out: the calls are checked once they are there.
    """
    from oumi.structured.sampler.grammar import to_lark  # loads llguidance

    schema = _without_unknown(json.loads(parameters))
    for tried in (schema, _without(schema, _OFTEN_REFUSED)):
        with contextlib.suppress(OumiError, ValueError):
            to_lark(GuidedDecodingParams(json=tried))
            return json.dumps(tried)
    return '{"type": "object"}'


def _without_unknown(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    known = {k: v for k, v in schema.items() if k != "format" or v not in _UNKNOWN_FORMATS}
    return map_subschemas(known, lambda _, subschema: _without_unknown(subschema))


def _without(schema: Any, keywords: Collection[str]) -> Any:
    if not isinstance(schema, dict):
        return schema
    kept = {k: v for k, v in schema.items() if k not in keywords}
    return map_subschemas(kept, lambda _, subschema: _without(subschema, keywords))


def _moved(schema: Any, number: int) -> Any:
    """The schema as it reads in `$defs` of another one, in which it has no address of its own."""
    if not isinstance(schema, dict):
        return schema
    moved = {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
    reference = moved.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        moved["$ref"] = f"#/$defs/tool{number}{reference[1:]}"
    changed = map_subschemas(moved, lambda _, subschema: _moved(subschema, number))
    if isinstance(changed, dict) and isinstance(changed.get("definitions"), dict):  # of draft 4
        definitions = changed["definitions"].items()
        changed["definitions"] = {name: _moved(one, number) for name, one in definitions}
    return changed

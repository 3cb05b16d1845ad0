"""A body of the chat API as Google's own APIs take it, since their batches know no other form.

https://ai.google.dev/api/generate-content#request-body
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oumi.batch.api.providers.gemini_contents import make_contents
from oumi.errors import UnsupportedError

# https://ai.google.dev/gemini-api/docs/openai#thinking
_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
_WITHOUT_MINIMAL = "-pro"

_CONFIG_FIELDS = {
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
}
_GOOGLE_FIELDS = {"cached_content": "cachedContent", "safety_settings": "safetySettings"}
"""Of `extra_body.google`: https://ai.google.dev/gemini-api/docs/openai#extra-body"""
_CHOICES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_ELSEWHERE = ("model", "stream_options")
"""Fields that an answer of a batch does not depend on; its job names the model."""


def to_generate_content(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same request for `generateContent`. Raises UnsupportedError for a field that has no
    place there, and RequestError for messages that have none.
    """
    request: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for name, value in body.items():
        if name in _CONFIG_FIELDS:
            config[_CONFIG_FIELDS[name]] = value
        elif name in _WRITERS:
            _WRITERS[name](value, request, config, str(body.get("model")))
        elif name not in _ELSEWHERE:
            raise UnsupportedError(f"a batch of Google's takes no {name}: ask this row by infer")
    return request | ({"generationConfig": config} if config else {})


def _add_messages(value: Any, request: dict[str, Any], *_: Any) -> None:
    system, request["contents"] = make_contents(value)
    if system:
        request["systemInstruction"] = {"parts": system}


def _add_tools(value: Any, request: dict[str, Any], *_: Any) -> None:
    request["tools"] = [{"functionDeclarations": list(map(_declaration, value))}]


def _declaration(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool["function"]
    declared = {name: function[name] for name in ("name", "description") if name in function}
    schema = function.get("parameters")
    return declared | ({"parametersJsonSchema": schema} if schema else {})


def _add_choice(value: Any, request: dict[str, Any], *_: Any) -> None:
    choice = (
        {"mode": _CHOICES[value]}
        if isinstance(value, str)
        else {"mode": "ANY", "allowedFunctionNames": [value["function"]["name"]]}
    )
    request["toolConfig"] = {"functionCallingConfig": choice}


def _add_format(value: Any, _: Any, config: dict[str, Any], *__: Any) -> None:
    config["responseMimeType"] = "application/json"
    if value["type"] == "json_schema":
        config["responseJsonSchema"] = value["json_schema"]["schema"]


def _add_stop(value: Any, _: Any, config: dict[str, Any], *__: Any) -> None:
    config["stopSequences"] = [value] if isinstance(value, str) else value


def _add_effort(value: Any, _: Any, config: dict[str, Any], model: str) -> None:
    """A budget for the models of Gemini 2.5, and a level for those after it."""
    thinking: dict[str, Any]
    if "gemini-2" in model:
        thinking = {"thinkingBudget": _BUDGETS[value]}
    elif value == "none":
        raise UnsupportedError("reasoning_effort: none: models after Gemini 2.5 always think")
    else:
        is_least = value == "minimal" and _WITHOUT_MINIMAL in model
        thinking = {"thinkingLevel": "low" if is_least else value}
    config.setdefault("thinkingConfig", {}).update(thinking)


def _add_extra(value: Any, request: dict[str, Any], config: dict[str, Any], _: str) -> None:
    """What Google's chat API takes besides, in the names that both spellings of its fields have."""
    for name, own in (value.get("google") or {}).items():
        if name == "thinking_config":
            config.setdefault("thinkingConfig", {}).update(own)
        elif name in _GOOGLE_FIELDS:
            request[_GOOGLE_FIELDS[name]] = own
        else:
            raise UnsupportedError(f"a batch of Google's takes no extra_body.google.{name}")


_WRITERS: dict[str, Callable[[Any, dict[str, Any], dict[str, Any], str], None]] = {
    "messages": _add_messages,
    "tools": _add_tools,
    "tool_choice": _add_choice,
    "response_format": _add_format,
    "stop": _add_stop,
    "reasoning_effort": _add_effort,
    "extra_body": _add_extra,
}

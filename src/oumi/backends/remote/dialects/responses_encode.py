"""Requests in the form of OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.openai_chat import check_tools_are_optional
from oumi.backends.provider import Provider
from oumi.backends.remote.dialects.responses_input import encode_input, encode_tool
from oumi.backends.remote.model_families import check_family, family_of
from oumi.backends.setting_map import SettingMap, field
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.json_text import write_json
from oumi.errors import ConfigError
from oumi.runner.request import Request
from oumi.structured.schema.adapt import AdaptedSchema, adapt_guided
from oumi.structured.schema.profiles import SchemaMode

_OWN_FIELDS = {
    "input": "the conversation",
    "messages": "the conversation",
    "instructions": "a system message",
    "model": "model.model_name",
    "max_output_tokens": "generation.max_new_tokens",
    "stream": "the method stream",
    "background": "a batch job: an answer in the background would not be waited for",
}
_KINDS: dict[str, type] = {"include": list, "reasoning": dict, "text": dict, "tools": list}
"""The fields of `model_kwargs` that are joined with those of other settings."""
_ENCRYPTED = "reasoning.encrypted_content"
_LOGPROBS = "message.output_text.logprobs"


def headers(config: InferenceConfig) -> dict[str, str]:
    """None: the settings are in the body."""
    return {}


def check(config: InferenceConfig) -> None:
    """Raise ConfigError for fields that are not the user's to set, UnsupportedError for settings
    that the model does not take.
    """
    fields = config.model.model_kwargs
    for name in fields.keys() & _OWN_FIELDS.keys():
        raise ConfigError(f"model.model_kwargs.{name}: use {_OWN_FIELDS[name]}")
    for name, kind in _KINDS.items():
        if not isinstance(fields.get(name, kind()), kind):
            what = "a list" if kind is list else "an object"
            raise ConfigError(f"model.model_kwargs.{name}: expected {what}, not {fields[name]!r}")
    if "format" in fields.get("text", ()):
        raise ConfigError("model.model_kwargs.text.format: use generation.guided_decoding")
    check_family(config.model.model_name, config.generation)


def adapted(config: InferenceConfig, provider: Provider) -> AdaptedSchema | None:
    """The constraint as a schema."""
    guided = config.generation.guided_decoding
    return None if guided is None else adapt_guided(guided, provider.schema_profile)


def shared_body(config: InferenceConfig, provider: Provider) -> dict[str, Any]:
    """What all bodies under these settings have in common. Nothing is stored by the provider
    unless `model_kwargs` say so.
    """
    fixed = {f"generation.{name}" for name in family_of(config.model.model_name).fixed}
    body = {"store": False, **provider.body}
    body |= _SHARED.encode(config, config, provider, without=fixed)
    include = _include(config)
    return {**body, "include": include} if include else body


def encode(
    request: Request,
    shared: Mapping[str, Any],
    *,
    stream: bool = False,
    provider: Provider | None = None,
) -> bytes:
    """The body of a request. Raises RequestError for what cannot be sent."""
    body = {**shared, "input": encode_input(request.conversation), **_tools(request, shared)}
    if stream:
        body["stream"] = True
    return write_json(body)


def _tools(request: Request, shared: Mapping[str, Any]) -> dict[str, Any]:
    """The tools of the conversation, beside those of the provider that `model_kwargs` name."""
    own = shared.get("tools") or []
    tools = [*own, *map(encode_tool, request.conversation.tools or ())]
    if not tools:
        check_tools_are_optional(request.config.generation.tool_choice)
        return {}
    return {"tools": tools, **_WITH_TOOLS.encode(request.config)}


def _fields(kwargs: Mapping[str, Any], *_: Any) -> dict[str, Any]:
    """Fields as they are given. Two that the chat API has at the top have another place here."""
    fields = {name: value for name, value in kwargs.items() if name != "include"}
    for name, place, key in _MOVED:
        if name in fields:
            fields[place] = {key: fields.pop(name), **fields.get(place, {})}
    return fields


_MOVED = (("reasoning_effort", "reasoning", "effort"), ("verbosity", "text", "verbosity"))


def _include(config: InferenceConfig) -> list[str]:
    """What the reply has to hold besides: encrypted reasoning, unless `model_kwargs` say what."""
    kwargs = config.model.model_kwargs
    reasons = family_of(config.model.model_name).encrypts_reasoning or "reasoning" in _fields(
        kwargs
    )
    include = list(kwargs.get("include", [_ENCRYPTED] if reasons else []))
    if config.generation.logprobs is not None and _LOGPROBS not in include:
        include.append(_LOGPROBS)
    return include


def _constraint(_: Any, config: InferenceConfig, provider: Provider) -> dict[str, Any]:
    """The constraint on answers, beside what else `model_kwargs` say of the text."""
    found = adapted(config, provider)
    if found is None or (found.schema is None and found.mode is not SchemaMode.JSON):
        return {}
    form: dict[str, Any] = {"type": "json_object"}
    if found.schema is not None:
        form = {"type": "json_schema", "name": "answer", "schema": found.schema}
        form["strict"] = found.strict
    return {"text": {**_fields(config.model.model_kwargs).get("text", {}), "format": form}}


def _effort(value: str, config: InferenceConfig, _: Provider) -> dict[str, Any]:
    """The effort, beside what else `model_kwargs` say of the reasoning."""
    given = _fields(config.model.model_kwargs).get("reasoning", {})
    return {"reasoning": {**given, "effort": value}}


def _choice(value: Any) -> dict[str, Any]:
    match value:
        case {"type": "function", "function": {"name": str(name)}}:
            return {"tool_choice": {"type": "function", "name": name}}
    return {"tool_choice": value}


# How each setting is sent. Values that change nothing are left out.
_SHARED = SettingMap(
    {
        "model.model_name": field("model"),
        "generation.max_new_tokens": field("max_output_tokens"),
        "generation.temperature": field("temperature"),
        "generation.top_p": field("top_p"),
        "generation.logprobs": field("top_logprobs"),
        "model.model_kwargs": _fields,
        "generation.reasoning_effort": _effort,
        "generation.guided_decoding.json": _constraint,
        "generation.guided_decoding.regex": _constraint,
        "generation.guided_decoding.choice": _constraint,
    }
)
# In the body of a conversation that has tools.
_WITH_TOOLS = SettingMap(
    {
        "generation.parallel_tool_calls": field("parallel_tool_calls", unless=True),
        "generation.tool_choice": _choice,
    }
)

settings = _SHARED.settings | _WITH_TOOLS.settings

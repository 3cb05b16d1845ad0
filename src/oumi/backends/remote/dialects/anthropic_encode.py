"""Requests in the form of Anthropic's messages API.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.provider import Provider
from oumi.backends.remote.dialects import message_blocks
from oumi.backends.remote.dialects.anthropic_blocks import encode_system, encode_tool, encode_turn
from oumi.backends.remote.dialects.claude_thinking import check_thinking, thinking_fields, thinks
from oumi.backends.remote.dialects.message_blocks import ANSWER_TOOL
from oumi.backends.remote.model_families import check_family, family_of
from oumi.backends.setting_map import SettingMap, field
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.json_text import write_json
from oumi.errors import ConfigError, UnsupportedError
from oumi.runner.request import Request
from oumi.structured.schema.adapt import AdaptedSchema, adapt_guided
from oumi.structured.schema.profiles import ANTHROPIC, ANTHROPIC_TOOL, SchemaMode

_OWN_FIELDS = {
    "messages": "the conversation",
    "system": "a system message",
    "model": "model.model_name",
    "max_tokens": "generation.max_new_tokens",
    "stop_sequences": "generation.stop_strings",
    "temperature": "generation.temperature",
    "top_p": "generation.top_p",
    "top_k": "generation.top_k",
    "tool_choice": "generation.tool_choice",
    "stream": "the method stream",
}

# Version 2026-10-21 refuses temperature, top_p and top_k, even of models that take them.
# https://platform.claude.com/docs/en/api/versioning
_VERSION, _SAMPLING_VERSION = "2026-10-21", "2023-06-01"


def headers(config: InferenceConfig) -> dict[str, str]:
    """The version of the API, and the betas that `model_kwargs` name."""
    sampling = message_blocks.sent_sampling(config, thinking=thinks(_model_fields(config)))
    named = {"anthropic-version": _SAMPLING_VERSION if sampling else _VERSION}
    betas = config.model.model_kwargs.get("betas")
    return named | ({"anthropic-beta": ",".join(betas)} if betas else {})


def check(config: InferenceConfig) -> None:
    """Raise ConfigError for fields that are not the user's to set, UnsupportedError for settings
    that the model does not take, or not together.
    """
    fields, generation = _model_fields(config), config.generation
    for name in fields.keys() & _OWN_FIELDS.keys():
        raise ConfigError(f"model.model_kwargs.{name}: use {_OWN_FIELDS[name]}")
    betas = fields.get("betas", [])
    if not (
        isinstance(betas, list)
        and all(isinstance(beta, str) and beta.isprintable() for beta in betas)
    ):
        raise ConfigError(f"model.model_kwargs.betas: expected a list of names, not {betas!r}")
    check_family(config.model.model_name, generation)
    if generation.temperature > 1:
        raise UnsupportedError("this API takes a generation.temperature from 0 to 1")
    thinking = thinks(fields)
    message_blocks.check_sampling(config, thinking=thinking)
    if not any(beta.startswith("interleaved-thinking") for beta in betas):
        check_thinking(fields, generation)
    if thinking and answers_by_tool(config):
        raise UnsupportedError(
            f"{config.model.model_name} cannot keep to a schema while it thinks: leave out "
            "the settings of thinking, or take a newer model"
        )


def _model_fields(config: InferenceConfig) -> dict[str, Any]:
    """The fields that `model_kwargs` name, and those for the settings of thinking."""
    given = config.model.model_kwargs
    return {**given, **thinking_fields(config, given)}


def adapted(config: InferenceConfig, provider: Provider) -> AdaptedSchema | None:
    """A schema, or a tool where the model knows no schemas or the API does not take this one."""
    return _adapted(config)


def answers_by_tool(config: InferenceConfig) -> bool:
    """Whether the answer comes as a call of a tool."""
    found = _adapted(config)
    return found is not None and found.mode is SchemaMode.TOOL


def shared_body(config: InferenceConfig, provider: Provider) -> dict[str, Any]:
    """What all bodies under these settings have in common."""
    thinking = thinks(_model_fields(config))
    left_out = message_blocks.left_out_sampling(config, thinking=thinking)
    return _SHARED.encode(config, config, without=left_out)


def encode(
    request: Request,
    shared: Mapping[str, Any],
    *,
    stream: bool = False,
    provider: Provider | None = None,
) -> bytes:
    """The body of a request. Raises RequestError for what cannot be sent."""
    system, others = message_blocks.split_system(request.conversation)
    model_name = request.config.model.model_name
    # The API refuses empty ones, and joins what stands before and after.
    said = [message for message in others if not message_blocks.is_empty_answer(message)]
    body = {
        **shared,
        "messages": [encode_turn(turn, model_name) for turn in message_blocks.split_turns(said)],
        **encode_system(system),
        **_tools(request, shared),
    }
    if stream:
        body["stream"] = True
    return write_json(body)


def _adapted(config: InferenceConfig) -> AdaptedSchema | None:
    guided = config.generation.guided_decoding
    if guided is None:
        return None
    knows = family_of(config.model.model_name).json_schema
    return adapt_guided(guided, ANTHROPIC if knows else ANTHROPIC_TOOL)


def _thinking(_: Any, config: InferenceConfig) -> dict[str, Any]:
    return thinking_fields(config, config.model.model_kwargs)


def _without_betas(kwargs: Mapping[str, Any], _: InferenceConfig) -> dict[str, Any]:
    """Fields as they are given; the betas go into a header."""
    return {name: value for name, value in kwargs.items() if name != "betas"}


def _constraint(_: Any, config: InferenceConfig) -> dict[str, Any]:
    """The constraint on answers, beside what else `model_kwargs` say of the output."""
    found = _adapted(config)
    schema = found.schema if found else None
    if found and found.mode is SchemaMode.TOOL:
        tool = {
            "name": ANSWER_TOOL,
            "description": "Gives the answer.",
            "input_schema": schema,
        }
        return {"tools": [tool], "tool_choice": {"type": "tool", "name": ANSWER_TOOL}}
    form = {"type": "json_schema", "schema": schema}
    output_config = _model_fields(config).get("output_config") or {}
    return {"output_config": {**output_config, "format": form}}


def _tools(request: Request, shared: Mapping[str, Any]) -> dict[str, Any]:
    tools = request.conversation.tools
    message_blocks.check_tool_choice(request)
    message_blocks.check_answer_tool(tools, is_forced=answers_by_tool(request.config))
    if not tools:
        return {}
    body = {"tools": [*shared.get("tools", ()), *(encode_tool(tool) for tool in tools)]}
    chosen = _TOOL_CHOICE.encode(request.config)
    if chosen.get("type") == "none":
        chosen = {"type": "none"}  # which goes with nothing else
    return {**body, "tool_choice": {"type": "auto", **chosen}} if chosen else body


def _continue(value: bool, config: InferenceConfig) -> dict[str, Any]:
    """Nothing is sent: the API continues a last message of the assistant by itself.

    https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response
    """
    message_blocks.check_prefill(config, value)
    return {}


def _choice(value: Any) -> dict[str, Any]:
    kind, name = message_blocks.parse_tool_choice(value)
    return {"type": kind, "name": name} if name else {"type": kind}


def _parallel(value: bool) -> dict[str, Any]:
    return {} if value else {"disable_parallel_tool_use": True}


# How each setting is sent.
_SHARED = SettingMap(
    {
        "model.model_name": field("model"),
        "generation.max_new_tokens": field("max_tokens"),
        "generation.temperature": field("temperature"),
        "generation.top_p": field("top_p"),
        "generation.top_k": field("top_k"),
        "model.model_kwargs": _without_betas,
        "generation.stop_strings": field("stop_sequences", unless=[]),
        "generation.reasoning_effort": _thinking,
        "generation.enable_thinking": _thinking,
        "generation.max_thinking_tokens": _thinking,
        "generation.continue_final_message": _continue,
        "generation.guided_decoding.json": _constraint,
        "generation.guided_decoding.regex": _constraint,
        "generation.guided_decoding.choice": _constraint,
    }
)
# In the field `tool_choice` of a conversation that has tools.
_TOOL_CHOICE = SettingMap(
    {
        "generation.tool_choice": _choice,
        "generation.parallel_tool_calls": _parallel,
    }
)

settings = _SHARED.settings | _TOOL_CHOICE.settings

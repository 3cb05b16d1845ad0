"""Requests in the form of Bedrock's Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from oumi.backends.provider import Provider
from oumi.backends.remote.dialects import message_blocks
from oumi.backends.remote.dialects.bedrock_blocks import encode_blocks, encode_tool, encode_turn
from oumi.backends.remote.dialects.bedrock_thinking import bedrock_thinking
from oumi.backends.remote.dialects.claude_thinking import check_thinking, thinks
from oumi.backends.remote.dialects.message_blocks import ANSWER_TOOL
from oumi.backends.remote.model_families import check_family, family_of
from oumi.backends.setting_map import SettingMap, field
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation
from oumi.errors import ConfigError, UnsupportedError
from oumi.runner.request import Request
from oumi.structured.schema.adapt import AdaptedSchema, adapt_guided
from oumi.structured.schema.profiles import ANTHROPIC, ANTHROPIC_TOOL, SchemaMode

_OWN_FIELDS = {
    "messages": "the conversation",
    "system": "a system message",
    "modelId": "model.model_name",
    "inferenceConfig": "generation",
    "toolConfig": "the tools of a conversation and generation.tool_choice",
}
_FIELDS_OF_CONVERSE = {
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "outputConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
}

# https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
_KNOWS_SCHEMAS = re.compile(
    r"(?:.*[./])?(?:anthropic\.|deepseek\.v3|google\.gemma|minimax\.|moonshot|nvidia\.nemotron"
    r"|mistral\.(?:magistral|ministral|mistral-large-3|voxtral)|openai\.|qwen\.)"
)

# https://docs.aws.amazon.com/nova/latest/userguide/prompting-structured-output.html
_CONTINUES = re.compile(r"anthropic\.|amazon\.nova")


def headers(config: InferenceConfig) -> dict[str, str]:
    """None: the settings are in the body."""
    return {}


def check(config: InferenceConfig) -> None:
    """Raise ConfigError for fields that are not the user's to set, UnsupportedError for settings
    that the model does not take, or not together.
    """
    name, generation = config.model.model_name, config.generation
    for key in config.model.model_kwargs.keys() & _OWN_FIELDS.keys():
        raise ConfigError(f"model.model_kwargs.{key}: use {_OWN_FIELDS[key]}")
    check_family(name, generation)
    fields = _model_fields(config)
    thinking = thinks(fields)
    message_blocks.check_sampling(config, thinking=thinking)
    check_thinking(fields, generation)
    if thinking and answers_by_tool(config):
        raise UnsupportedError(f"{name} cannot keep to a schema while it thinks")


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
    is_named = not config.model.model_name.startswith("arn:")
    if not is_named and "temperature" not in config.generation.model_fields_set:
        left_out.add("generation.temperature")  # nobody knows the model, and some take none
    inference = _INFERENCE_CONFIG.encode(config, without=left_out)
    return {**_SHARED.encode(config, config), "inferenceConfig": inference}


def encode(
    request: Request,
    shared: Mapping[str, Any],
    *,
    stream: bool = False,
    provider: Provider | None = None,
) -> bytes:
    """The body of a request. Raises RequestError for what cannot be sent."""
    system, others = message_blocks.split_system(request.conversation)
    message_blocks.check_system(system)
    model_name = request.config.model.model_name
    body = {
        **shared,
        "messages": [encode_turn(turn, model_name) for turn in message_blocks.split_turns(others)],
        **_tools(request),
    }
    if system:
        body["system"] = [block for message in system for block in encode_blocks(message)]
    return write_json(body)


def model_id(config: InferenceConfig) -> str:
    """The model as it stands in the path of a request, be it a name or an ARN."""
    return str(_PATH.encode(config)["modelId"])


def _model_id(name: str) -> dict[str, Any]:
    return {"modelId": quote(name, safe="")}


def _fields(_: Any, config: InferenceConfig) -> dict[str, Any]:
    """Fields that Converse has go there, all others to the model, beside those of thinking."""
    kwargs = config.model.model_kwargs
    body = {name: value for name, value in kwargs.items() if name in _FIELDS_OF_CONVERSE}
    fields = _model_fields(config)
    return {**body, "additionalModelRequestFields": fields} if fields else body


def _model_fields(config: InferenceConfig) -> dict[str, Any]:
    """Fields for the model itself, which Converse passes on."""
    kwargs = config.model.model_kwargs
    own = {name: value for name, value in kwargs.items() if name not in _FIELDS_OF_CONVERSE}
    given = {**kwargs.get("additionalModelRequestFields", {}), **own}
    return {**given, **bedrock_thinking(config, given)}


def _continue(value: bool, config: InferenceConfig) -> dict[str, Any]:
    """Nothing is sent: models that continue a last message of the assistant do so by themselves."""
    if value and not _CONTINUES.search(config.model.model_name):
        raise UnsupportedError(
            f"{config.model.model_name} continues no message, as models of Anthropic and Nova do: "
            "leave out generation.continue_final_message"
        )
    message_blocks.check_prefill(config, value)
    return {}


def _adapted(config: InferenceConfig) -> AdaptedSchema | None:
    guided, name = config.generation.guided_decoding, config.model.model_name
    if guided is None:
        return None
    knows = _KNOWS_SCHEMAS.match(name) and family_of(name).json_schema
    return adapt_guided(guided, ANTHROPIC if knows else ANTHROPIC_TOOL)


def _constraint(_: Any, config: InferenceConfig) -> dict[str, Any]:
    """The constraint on answers, beside what else `model_kwargs` say of the output."""
    found = _adapted(config)
    schema = found.schema if found else None
    if found and found.mode is SchemaMode.TOOL:
        tool = {"name": ANSWER_TOOL, "description": "Gives the answer."}
        tools = [{"toolSpec": {**tool, "inputSchema": {"json": schema}}}]
        return {"toolConfig": {"tools": tools, "toolChoice": {"tool": {"name": ANSWER_TOOL}}}}
    definition = {"name": "answer", "schema": write_json(schema).decode()}
    form = {"type": "json_schema", "structure": {"jsonSchema": definition}}
    output_config = config.model.model_kwargs.get("outputConfig") or {}
    return {"outputConfig": {**output_config, "textFormat": form}}


def _tools(request: Request) -> dict[str, Any]:
    conversation = request.conversation
    message_blocks.check_tool_choice(request)
    message_blocks.check_answer_tool(conversation.tools, is_forced=answers_by_tool(request.config))
    if not conversation.tools:
        return {}
    chosen = _WITH_TOOLS.encode(request.config)
    if "none" in chosen.get("toolChoice", ()):
        _check_no_calls(conversation)
        return {}
    tools = [entry for tool in conversation.tools for entry in encode_tool(tool)]
    return {"toolConfig": {"tools": tools, **chosen}}


def _choice(value: Any) -> dict[str, Any]:
    kind, name = message_blocks.parse_tool_choice(value)
    return {"toolChoice": {kind: {"name": name} if name else {}}}


def _check_no_calls(conversation: Conversation) -> None:
    """Raise UnsupportedError where a conversation with calls may have no further ones.

    Converse has no choice "none". Leaving out the tools has its effect, but is refused after calls.
    """
    if any(message.tool_calls for message in conversation):
        raise UnsupportedError(
            "Converse cannot keep a model from calling tools that it has called before: set "
            "generation.tool_choice to auto"
        )


# How each setting is sent.
_PATH = SettingMap({"model.model_name": _model_id})
_SHARED = SettingMap(
    {
        "model.model_kwargs": _fields,
        "generation.reasoning_effort": _fields,
        "generation.enable_thinking": _fields,
        "generation.max_thinking_tokens": _fields,
        "generation.continue_final_message": _continue,
        "generation.guided_decoding.json": _constraint,
        "generation.guided_decoding.regex": _constraint,
        "generation.guided_decoding.choice": _constraint,
    }
)
_INFERENCE_CONFIG = SettingMap(
    {
        "generation.max_new_tokens": field("maxTokens"),
        "generation.temperature": field("temperature"),
        "generation.top_p": field("topP"),
        "generation.stop_strings": field("stopSequences", unless=[]),
    }
)
# In the field `toolConfig` of a conversation that has tools.
_WITH_TOOLS = SettingMap({"generation.tool_choice": _choice})

settings = _PATH.settings | _SHARED.settings | _INFERENCE_CONFIG.settings | _WITH_TOOLS.settings

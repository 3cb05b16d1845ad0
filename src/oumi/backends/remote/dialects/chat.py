"""The OpenAI chat API: a request to a body, a reply to a completion.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.openai_chat import check_tools_are_optional, encode_messages, encode_tools
from oumi.backends.openai_reasoning import encode_reasoning
from oumi.backends.provider import Constraint, PrefillForm, Provider
from oumi.backends.remote.dialects.chat_decode import decode as decode
from oumi.backends.remote.dialects.chat_decode import stream_decoder as stream_decoder
from oumi.backends.remote.dialects.model_list import decode_models as decode_models
from oumi.backends.remote.dialects.openai_api import SAMPLING, write_body
from oumi.backends.remote.dialects.thinking import encode_thinking
from oumi.backends.remote.model_families import check_family, family_of
from oumi.backends.setting_map import SettingMap, field
from oumi.core.configs import GuidedDecodingParams, InferenceConfig
from oumi.core.json_schema.regex import expand_classes
from oumi.core.json_schema.regex_forms import without_assertions
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation, Role
from oumi.errors import ConfigError
from oumi.runner.request import Request
from oumi.structured.schema.adapt import AdaptedSchema, adapt_guided
from oumi.structured.schema.profiles import SchemaMode

models_path = "/models"

_OWN_KINDS = {
    Constraint.VLLM: ("json", "regex", "choice", "grammar"),
    Constraint.SGLANG: ("regex", "choice", "grammar"),
    Constraint.FIREWORKS: ("grammar",),
}
"""Kinds of constraints that a server has fields of its own for, instead of a schema."""

_ASSISTANT = Role.ASSISTANT  # members of an enum are slow to look up

_OWN_FIELDS = ("messages", "model", "n", "stream", "stream_options")


def path(config: InferenceConfig, *, stream: bool = False) -> str:
    """The same for all models, streamed or not."""
    return "/chat/completions"


def headers(config: InferenceConfig) -> dict[str, str]:
    """None: the settings are in the body."""
    return {}


def encode(
    request: Request,
    shared: Mapping[str, Any],
    *,
    stream: bool = False,
    provider: Provider | None = None,
) -> bytes:
    """The body of a request. Raises RequestError for what cannot be sent."""
    conversation = request.conversation
    messages = encode_messages(conversation, provider)
    if provider is not None and provider.reasoning_field is not None:
        _add_reasoning(messages, conversation, provider, provider.reasoning_field)
    body = {"messages": messages, **_tools(request), **shared}
    if conversation.messages[-1].role is _ASSISTANT:
        _continue_last(body, request, provider)
    return write_body(body, stream=stream)


def adapted(config: InferenceConfig, provider: Provider) -> AdaptedSchema | None:
    """The constraint as a schema, unless the server has a field of its own for its kind."""
    guided = config.generation.guided_decoding
    if guided is None or guided.form in _OWN_KINDS.get(provider.constraint, ()):
        return None
    return adapt_guided(guided, provider.schema_profile)


def shared_body(config: InferenceConfig, provider: Provider) -> dict[str, Any]:
    """What all bodies under these settings have in common."""
    family = family_of(config.model.model_name)
    fixed = {f"generation.{name}" for name in family.fixed}
    body = {
        "stream_options": {"include_usage": True},
        **provider.body,
        **_SHARED.encode(config, config, provider, without=fixed | provider.ignores),
    }
    return _rename(body, provider.field_aliases) | _UNCHANGED.encode(config)


def check(config: InferenceConfig) -> None:
    """Raise what is wrong with the settings: ConfigError for a field of the body that is not the
    user's to set, UnsupportedError for a sampling setting that the model does not take.
    """
    model, generation = config.model, config.generation
    for name in model.model_kwargs:
        if name in _OWN_FIELDS:
            raise ConfigError(f"model.model_kwargs.{name}: the engine sets it")
        if name.startswith("guided_"):  # current servers ignore these without a word
            raise ConfigError(f"model.model_kwargs.{name}: use generation.guided_decoding")
    check_family(model.model_name, generation)


def _add_reasoning(
    messages: list[dict[str, Any]], conversation: Conversation, provider: Provider, name: str
) -> None:
    """Send the reasoning of earlier answers back in the API's field for it."""
    for message, encoded in zip(conversation.messages, messages, strict=True):
        encoded |= encode_reasoning(message, name, required=provider.reasoning_required)


def _tools(request: Request) -> dict[str, Any]:
    if not request.conversation.tools:
        check_tools_are_optional(request.config.generation.tool_choice)
        return {}
    tools = encode_tools(request.conversation)
    return {"tools": tools, **_WITH_TOOLS.encode(request.config)}


def _continue_last(body: dict[str, Any], request: Request, provider: Provider | None) -> None:
    """Have a last message of the assistant continued, by fields of the body or of the message."""
    fields = _IF_ANSWERED.encode(request.config, provider)
    (body["messages"][-1] if "prefix" in fields else body).update(fields)


def _continue(value: bool, provider: Provider | None) -> dict[str, Any]:
    if not value:
        return {}
    if provider is not None and provider.prefill is PrefillForm.PREFIX:
        return {"prefix": True}  # https://docs.mistral.ai/api/endpoint/chat
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html, "extra parameters"
    return {"continue_final_message": True, "add_generation_prompt": False}


def _rename(body: dict[str, Any], renames: Mapping[str, str | None]) -> dict[str, Any]:
    names = {name: renames.get(name, name) for name in body}
    return {new: body[name] for name, new in names.items() if new is not None}


def _max_tokens(value: int, config: InferenceConfig, _: Provider) -> dict[str, Any]:
    return {family_of(config.model.model_name).max_tokens_field: value}


def _logprobs(likeliest: int, *_: Any) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": likeliest}


def _constraint(_: Any, config: InferenceConfig, provider: Provider) -> dict[str, Any]:
    """The constraint on answers, whichever kind it is."""
    guided, form = config.generation.guided_decoding, adapted(config, provider)
    if guided is None:
        return {}
    if form is None:
        return _own_form(guided, provider.constraint)
    if form.mode is SchemaMode.JSON:
        return {"response_format": {"type": "json_object"}}
    if form.schema is None:
        return {}
    schema = {"name": "answer", "schema": form.schema, "strict": form.strict}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _own_form(guided: GuidedDecodingParams, constraint: Constraint) -> dict[str, Any]:
    if guided.regex is not None:
        regex = {"regex": expand_classes(without_assertions(guided.regex))}
        return {"structured_outputs": regex} if constraint is Constraint.VLLM else regex
    if constraint is Constraint.VLLM:
        return {"structured_outputs": {guided.form: getattr(guided, guided.form)}}
    if constraint is Constraint.FIREWORKS:
        return {"response_format": {"type": "grammar", "grammar": guided.grammar}}
    if guided.choice is not None:
        return {"ebnf": "root ::= " + " | ".join(_quote(text) for text in guided.choice)}
    return {"ebnf": guided.grammar}


def _quote(text: str) -> str:
    return write_json(text).decode()


# How each setting is sent.
_SHARED = SettingMap(
    {
        "model.model_name": field("model"),
        # A server offers an adapter under a name of its own, as it offers models.
        "model.adapter_model": field("model", unless=""),
        "model.chat_template": field("chat_template", unless=""),
        "model.chat_template_kwargs": field("chat_template_kwargs", unless={}),
        "generation.max_new_tokens": _max_tokens,
        **SAMPLING,
        "generation.logprobs": _logprobs,
        "generation.reasoning_effort": encode_thinking,
        "generation.enable_thinking": encode_thinking,
        "generation.max_thinking_tokens": encode_thinking,
        "generation.guided_decoding.json": _constraint,
        "generation.guided_decoding.regex": _constraint,
        "generation.guided_decoding.choice": _constraint,
        "generation.guided_decoding.grammar": _constraint,
    }
)
# In the body of a conversation that has tools.
_WITH_TOOLS = SettingMap(
    {
        "generation.parallel_tool_calls": field("parallel_tool_calls", unless=True),
        "generation.tool_choice": field("tool_choice"),
    }
)
# In the body of a conversation whose last message is the assistant's.
_IF_ANSWERED = SettingMap({"generation.continue_final_message": _continue})
# Under the names that the user gives, whatever `field_aliases` say.
_UNCHANGED = SettingMap({"model.model_kwargs": dict})

settings = _SHARED.settings | _WITH_TOOLS.settings | _IF_ANSWERED.settings | _UNCHANGED.settings

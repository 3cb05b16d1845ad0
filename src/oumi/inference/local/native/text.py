"""Conversations to token ids, and token ids to answers."""

from __future__ import annotations

import re
from typing import Any

import orjson

from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message, Role
from oumi.core.types.tool_call import FunctionCall, ToolCall
from oumi.errors import RequestError, UnsupportedError
from oumi.inference.chat_api import (
    check_tools_are_optional,
    encode_messages,
    encode_tools,
)
from oumi.inference.local.native.loading import Loaded
from oumi.runner.request import Request

_THINKING = re.compile(r"^\s*<think>(.*?)</think>\s*", re.DOTALL)
_TOOL_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)


def encode(request: Request, loaded: Loaded) -> list[int]:
    """The ids of the prompt. Raises RequestError for one that does not fit."""
    conversation, config = request.conversation, request.config
    check_tools_are_optional(config.generation.tool_choice)
    if any(message.contains_images() for message in conversation.messages):
        raise UnsupportedError("NATIVE takes no images")
    encoded = loaded.tokenizer.apply_chat_template(
        _plain(encode_messages(conversation)),
        tools=encode_tools(conversation) or None,
        add_generation_prompt=True,
        return_dict=True,
        **(config.model.chat_template_kwargs or {}),
    )
    ids: list[int] = encoded["input_ids"]
    room = loaded.context - len(ids)
    if room < 1:
        raise RequestError(
            f"the prompt of {len(ids):,} tokens does not fit into the context of "
            f"{loaded.context:,} (model.model_max_length)"
        )
    return ids


def decode(
    ids: list[int], ended: bool, prompt_tokens: int, request: Request, loaded: Loaded
) -> Completion:
    """The completion of generated ids; `ended` is whether the model came to an end by itself."""
    generation = request.config.generation
    text = loaded.tokenizer.decode(ids, skip_special_tokens=generation.skip_special_tokens)
    text, stopped = _cut(text, generation.stop_strings or ())
    reason = FinishReason.STOP if ended or stopped else FinishReason.LENGTH
    reasoning, text = _split_thinking(text)
    calls = _tool_calls(text, request) if request.conversation.tools else []
    if calls:
        text, reason = _TOOL_CALL.sub("", text).strip(), FinishReason.TOOL_CALLS
    message = Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=reasoning,
    )
    return Completion(message, reason, Usage(prompt_tokens, len(ids)))


def _plain(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Text parts joined, and arguments of tool calls as objects, as chat templates expect them."""
    for message in messages:
        if isinstance(message["content"], list):
            message["content"] = "".join(part["text"] for part in message["content"])
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = orjson.loads(call["function"]["arguments"] or "{}")
    return messages


def _cut(text: str, stops: tuple[str, ...] | list[str]) -> tuple[str, bool]:
    """The text before the first stop string, and whether there was one."""
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


def _split_thinking(text: str) -> tuple[str | None, str]:
    found = _THINKING.match(text)
    return (found[1].strip(), text[found.end() :]) if found else (None, text)


def _tool_calls(text: str, request: Request) -> list[ToolCall]:
    """Calls in the Hermes form, `<tool_call>{"name": …, "arguments": …}</tool_call>`."""
    earlier = sum(len(message.tool_calls or ()) for message in request.conversation.messages)
    calls: list[ToolCall] = []
    for found in _TOOL_CALL.findall(text):
        try:
            call = orjson.loads(found)
            function = FunctionCall(name=call["name"], arguments=call.get("arguments") or {})
        except (orjson.JSONDecodeError, KeyError, ValueError):
            continue
        calls.append(ToolCall(id=f"call_{earlier + len(calls)}", function=function))
    return calls

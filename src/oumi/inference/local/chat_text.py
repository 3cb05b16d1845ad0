"""Conversations to token ids by a chat template, and generated text to completions.

For engines that are handed a tokenizer of the Hugging Face hub.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

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
from oumi.runner.request import Request

_THINKING = re.compile(r"^\s*<think>(.*?)</think>\s*", re.DOTALL)
_TOOL_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)


class TextModel(Protocol):
    """A tokenizer with a chat template, and the longest context in tokens."""

    @property
    def tokenizer(self) -> Any:
        """A tokenizer of Transformers."""
        ...

    @property
    def context(self) -> int:
        """Prompt and answer together."""
        ...


def encode(request: Request, model: TextModel) -> list[int]:
    """The ids of the prompt. Raises RequestError for one that does not fit."""
    conversation, config = request.conversation, request.config
    check_tools_are_optional(config.generation.tool_choice)
    if any(message.contains_images() for message in conversation.messages):
        raise UnsupportedError("this engine takes no images")
    encoded = model.tokenizer.apply_chat_template(
        _plain(encode_messages(conversation)),
        tools=encode_tools(conversation) or None,
        add_generation_prompt=True,
        return_dict=True,
        **(config.model.chat_template_kwargs or {}),
    )
    ids: list[int] = encoded["input_ids"]
    if len(ids) >= model.context:
        raise RequestError(
            f"the prompt of {len(ids):,} tokens does not fit into the context of "
            f"{model.context:,} (model.model_max_length)"
        )
    return ids


def to_completion(
    text: str, reason: FinishReason, usage: Usage, request: Request, logprobs: Any = None
) -> Completion:
    """The completion that a text means: thoughts and tool calls are taken out of it."""
    found = _THINKING.match(text)
    reasoning = found[1].strip() if found else None
    text = text[found.end() :] if found else text
    calls = _tool_calls(text, request) if request.conversation.tools else []
    if calls:
        text, reason = _TOOL_CALL.sub("", text).strip(), FinishReason.TOOL_CALLS
    message = Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=reasoning,
    )
    return Completion(message, reason, usage, logprobs)


def _plain(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Text parts joined, and arguments of tool calls as objects, as chat templates expect them."""
    for message in messages:
        if isinstance(message["content"], list):
            message["content"] = "".join(part["text"] for part in message["content"])
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = orjson.loads(call["function"]["arguments"] or "{}")
    return messages


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

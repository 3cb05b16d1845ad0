"""Conversations to token ids by a chat template, and generated text to completions.

For engines that are handed a tokenizer of the Hugging Face hub.
"""

from __future__ import annotations

from typing import Any, Protocol

import orjson

from oumi.backends.local.tool_calls import offered_tools, take_calls
from oumi.backends.openai_chat import encode_messages
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import Conversation, FinishReason, Message, Role
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.request import Request

THINK, THOUGHT = "<think>", "</think>"


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
    if has_images(request.conversation):
        raise UnsupportedError("this engine takes no images")
    encoded = model.tokenizer.apply_chat_template(
        template_messages(request.conversation),
        return_dict=True,
        **template_arguments(request),
    )
    ids: list[int] = encoded["input_ids"]
    check_fits(len(ids), model.context)
    return ids


def check_fits(tokens: int, context: int) -> None:
    """Raise RequestError where a prompt leaves no room for an answer."""
    if tokens >= context:
        raise RequestError(
            f"the prompt of {tokens:,} tokens does not fit into the context of "
            f"{context:,} (model.model_max_length)"
        )


def has_images(conversation: Conversation) -> bool:
    """Whether any message holds an image."""
    return any(message.contains_images() for message in conversation.messages)


def template_messages(conversation: Conversation) -> list[dict[str, Any]]:
    """Messages as chat templates expect them: arguments of tool calls are objects, text without
    images is one string. Images stay as parts of the form `image_url`.
    """
    messages = encode_messages(conversation)
    for message in messages:
        parts = message["content"]
        if isinstance(parts, list) and all(part["type"] == "text" for part in parts):
            message["content"] = "".join(part["text"] for part in parts)
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = orjson.loads(call["function"]["arguments"] or "{}")
    return messages


def template_arguments(request: Request) -> dict[str, Any]:
    """What else the chat template is given."""
    return {
        "tools": offered_tools(request) or None,
        "add_generation_prompt": True,
        **(request.config.model.chat_template_kwargs or {}),
    }


def to_completion(
    text: str, reason: FinishReason, usage: Usage, request: Request, logprobs: Any = None
) -> Completion:
    """The completion that a text means: thoughts and tool calls are taken out of it."""
    reasoning, text = take_thought(text)
    text, calls = take_calls(text, request)
    message = Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=reasoning,
    )
    return Completion(message, FinishReason.TOOL_CALLS if calls else reason, usage, logprobs)


def take_thought(text: str) -> tuple[str | None, str]:
    """A thought between `<think>` and `</think>` at the start of an answer, and the answer
    without it. One that was cut off is all thought.
    """
    if not text.lstrip().startswith(THINK):
        return None, text
    thought, _, answer = text.partition(THINK)[2].partition(THOUGHT)
    return thought.strip(), answer.lstrip()

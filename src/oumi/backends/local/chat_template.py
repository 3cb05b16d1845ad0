"""Conversations to prompts by a chat template, and generated text back to completions.

For backends that have the model's Hugging Face tokenizer at hand.
https://huggingface.co/docs/transformers/chat_templating
"""

from __future__ import annotations

from typing import Any, Protocol

import orjson

from oumi.backends.chat_templates.template import ChatTemplate
from oumi.backends.local.reasoning import split_reasoning
from oumi.backends.local.tool_calls import extract_tool_calls, offered_tools
from oumi.backends.media.images import has_images
from oumi.backends.openai_chat import encode_messages_for_template
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import Conversation, FinishReason, Message, Role
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.request import Request


class TextModel(Protocol):
    """What is needed of a model to make a prompt for it."""

    @property
    def tokenizer(self) -> Any:
        """A Transformers tokenizer with a chat template."""
        ...

    @property
    def template(self) -> ChatTemplate:
        """What that chat template can render."""
        ...

    @property
    def context_length(self) -> int:
        """The most tokens that prompt and answer may have together."""
        ...


def encode(request: Request, model: TextModel) -> list[int]:
    """The token ids of the prompt.

    Raises RequestError for a prompt that does not fit, UnsupportedError for one with images.
    """
    if has_images(request.conversation):
        raise UnsupportedError("this engine takes no images")
    encoded = model.tokenizer.apply_chat_template(
        template_messages(request.conversation, as_parts=model.template.takes_parts),
        return_dict=True,
        **template_arguments(request),
    )
    ids: list[int] = encoded["input_ids"]
    check_prompt_length(len(ids), model.context_length)
    return ids


def render(request: Request, model: TextModel) -> str:
    """The prompt as text. Raises RequestError for what the template refuses."""
    messages = template_messages(request.conversation, as_parts=model.template.takes_parts)
    try:
        text: str = model.tokenizer.apply_chat_template(
            messages, tokenize=False, **template_arguments(request)
        )
    except Exception as error:  # templates raise anything
        raise RequestError(f"the prompt cannot be made: {error}") from error
    return text


def check_prompt_length(prompt_tokens: int, context_length: int) -> None:
    """Raise RequestError where the context leaves no token for an answer."""
    if prompt_tokens >= context_length:
        raise RequestError(
            f"the prompt of {prompt_tokens:,} tokens does not fit into the context of "
            f"{context_length:,} (model.model_max_length)"
        )


def template_messages(
    conversation: Conversation, *, as_parts: bool = False
) -> list[dict[str, Any]]:
    """The messages as chat templates expect them.

    They are those of the OpenAI API but for two points: arguments of tool calls are objects, not
    JSON text, and a message without images has its text in one string, or in one part of a list
    with `as_parts`. Images remain parts of type `image_url`.
    """
    messages = encode_messages_for_template(conversation)
    for message in messages:
        if as_parts and isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]
        for call in message.get("tool_calls", ()):
            call["function"]["arguments"] = orjson.loads(call["function"]["arguments"] or "{}")
    return messages


def template_arguments(request: Request) -> dict[str, Any]:
    """The variables of the chat template besides the messages."""
    return {
        "tools": offered_tools(request) or None,
        "add_generation_prompt": True,
        **(request.config.model.chat_template_kwargs or {}),
    }


def to_completion(
    text: str, reason: FinishReason, usage: Usage, request: Request, logprobs: Any = None
) -> Completion:
    """The completion in a generated text, with reasoning and tool calls in fields of their own."""
    reasoning, text = split_reasoning(text)
    text, calls = extract_tool_calls(text, request)
    message = Message(
        role=Role.ASSISTANT,
        content=text or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content=reasoning,
    )
    return Completion(message, FinishReason.TOOL_CALLS if calls else reason, usage, logprobs)

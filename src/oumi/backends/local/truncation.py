"""Prompts that do not fit into the context, cut where `generation.truncate_prompt` says."""

from __future__ import annotations

from oumi.core.types.conversation import Conversation, Message
from oumi.errors import ContextLengthError
from oumi.runner.request import Request

# Tokens are longer in some texts than in others, so that one cut may leave a few too many; and a
# cut by a few characters each time would take long.
_LEAST_CUT = 16


def check_prompt_length(prompt_tokens: int, context_length: int) -> None:
    """Raise ContextLengthError where the context leaves no token for an answer."""
    if prompt_tokens >= context_length:
        raise ContextLengthError(
            f"the prompt of {prompt_tokens:,} tokens does not fit into the context of "
            f"{context_length:,}: raise model.model_max_length, shorten the row, or set "
            "generation.truncate_prompt"
        )


def most_prompt_tokens(request: Request, context_length: int) -> int:
    """How long a prompt may be: it leaves room for the answer, or for half of the context."""
    return context_length - min(request.config.generation.max_new_tokens, context_length // 2)


def shortened(request: Request, prompt_tokens: int, context_length: int) -> Request | None:
    """The request with less text, where its prompt of so many tokens is too long.

    None where it fits or is not to be cut. Its prompt may still be too long: it is then to be
    shortened again. Raises ContextLengthError where there is nothing left to cut.
    """
    side = request.config.generation.truncate_prompt
    excess = prompt_tokens - most_prompt_tokens(request, context_length)
    if side is None or excess <= 0:
        return None
    messages = request.conversation.messages
    longest = max(range(len(messages)), key=lambda at: len(_text(messages[at])))
    text = _text(messages[longest])
    if not text:
        check_prompt_length(prompt_tokens, min(context_length, prompt_tokens))
    characters = sum(len(_text(message)) for message in messages)
    count = max(excess * characters // prompt_tokens, _LEAST_CUT)
    cut = messages[longest].model_copy(update={"content": _cut(text, count, side)})
    return request._replace(conversation=_with_message(request.conversation, longest, cut))


def _text(message: Message) -> str:
    """The text of a message that can be cut: not the one beside images."""
    if message.contains_media():
        return ""
    return message.compute_flattened_text_content("")


def _cut(text: str, count: int, side: str) -> str:
    """The text without so many characters at its start, its end or its middle."""
    kept = max(len(text) - count, 0)
    if side == "left":
        return text[len(text) - kept :]
    if side == "right":
        return text[:kept]
    head = kept // 2
    return text[:head] + text[len(text) - (kept - head) :]


def _with_message(conversation: Conversation, at: int, message: Message) -> Conversation:
    messages = [*conversation.messages]
    messages[at] = message
    return conversation.model_copy(update={"messages": messages})

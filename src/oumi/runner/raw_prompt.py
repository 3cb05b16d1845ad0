"""A prompt that the model is given as it is, without its chat template."""

from __future__ import annotations

from oumi.core.types.message import Role
from oumi.errors import RequestError
from oumi.runner.request import Request


def raw_prompt(request: Request) -> str | None:
    """The text that is the whole prompt of a request; None where a chat template makes the prompt.

    Raises RequestError for a conversation that is no single text.
    """
    if request.config.generation.apply_chat_template:
        return None
    [first, *others] = request.conversation.messages
    is_text = first.role is Role.USER and not first.contains_media()
    if others or not is_text or request.conversation.tools or request.begun:
        raise RequestError(
            "a prompt without a chat template is one message of the user, of text alone: there are "
            "no system prompts, turns, tools or media without generation.apply_chat_template"
        )
    return first.compute_flattened_text_content("")

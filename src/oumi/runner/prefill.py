"""A last message of the assistant: continued by the answer, or refused."""

from __future__ import annotations

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.core.types.message import Role
from oumi.errors import RequestError


def prefill_of(conversation: Conversation, generation: GenerationParams) -> str | None:
    """The text of the message that the answer is to continue; None where it is to continue none.

    Raises RequestError for a message that calls tools or shows media.
    """
    last = conversation.messages[-1]
    if last.role is not Role.ASSISTANT or not generation.continue_final_message:
        return None
    if last.tool_calls or last.contains_media():
        raise RequestError("the last message calls tools or shows media, and cannot be continued")
    return last.compute_flattened_text_content("")


def check_last_message(conversation: Conversation, generation: GenerationParams) -> None:
    """Raise RequestError for an answer to an answer, which each engine takes for something else."""
    last = conversation.messages[-1]
    if last.role is Role.ASSISTANT and not generation.continue_final_message:
        raise RequestError(
            "the last message is the assistant's, so that nothing is asked; set "
            "generation.continue_final_message to have it continued"
        )


def with_prefill(completion: Completion, prefill: str) -> Completion:
    """The whole message, of a completion that brings what an API has added to it."""
    content = completion.message.content
    if isinstance(content, str) or content is None:
        message = completion.message.model_copy(update={"content": prefill + (content or "")})
        completion = completion._replace(message=message)
    return completion._replace(prefill=prefill)

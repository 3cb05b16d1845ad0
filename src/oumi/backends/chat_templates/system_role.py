"""Conversations for templates that have no system role, such as Gemma's."""

from __future__ import annotations

from oumi.core.logs import warn_once
from oumi.core.types.conversation import ContentItem, Conversation, Message, Role, Type

_GAP = "\n\n"
_SYSTEM_ROLES = (Role.SYSTEM, Role.DEVELOPER)


def fold_system_messages(conversation: Conversation, model_name: str) -> Conversation:
    """The conversation with each system message at the head of the user's next message.

    Where the user says nothing after it, it becomes a message of the user. Says so once a model.
    """
    if all(message.role not in _SYSTEM_ROLES for message in conversation.messages):
        return conversation
    warn_once(
        f"the chat template of {model_name} has no system role: system messages are put at the "
        "head of the user's next message"
    )
    return conversation.model_copy(update={"messages": _folded(conversation.messages)})


def _folded(messages: list[Message]) -> list[Message]:
    folded: list[Message] = []
    waiting: list[Message] = []
    for message in messages:
        if message.role in _SYSTEM_ROLES:
            waiting.append(message)
        elif message.role == Role.USER and waiting:
            folded.append(_joined([*waiting, message]))
            waiting = []
        else:
            folded.append(message)
    return [*folded, _joined(waiting)] if waiting else folded


def _joined(messages: list[Message]) -> Message:
    """One message of the user, which is the last one with what the others say before it."""
    content: str | list[ContentItem]
    if any(message.contains_media() for message in messages):
        content = _joined_items(messages)
    else:
        content = _GAP.join(message.compute_flattened_text_content("") for message in messages)
    return messages[-1].model_copy(update={"role": Role.USER, "content": content})


def _joined_items(messages: list[Message]) -> list[ContentItem]:
    gap = ContentItem(type=Type.TEXT, content=_GAP)
    items = [item for message in messages for item in (*message.content_items, gap)]
    return items[:-1]
